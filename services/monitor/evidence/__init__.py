"""What supervisors look into: flagged messages, and messages that the gate held back."""
