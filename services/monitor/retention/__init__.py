"""Old rows: how long each kind is kept, and their deletion (H50)."""
