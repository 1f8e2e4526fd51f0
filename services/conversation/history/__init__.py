"""What was said and decided, for those who may read it."""
