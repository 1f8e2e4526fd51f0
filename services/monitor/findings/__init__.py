"""What was found of how agents receive buyers: told, listed, judged and counted."""
