"""How much is said in a shop's day."""
