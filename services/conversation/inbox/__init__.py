"""What a person has in hand: open conversations, each with its head, and work."""
