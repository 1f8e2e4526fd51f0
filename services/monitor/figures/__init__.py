"""Response times of any stretch of time."""
