"""How many buyers waited, minute by minute."""
