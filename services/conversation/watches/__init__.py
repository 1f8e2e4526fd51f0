"""Who looks at conversations that are others'."""
