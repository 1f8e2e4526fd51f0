"""What is worth telling leaders: told once however often it happens, until somebody cares."""
