"""Who asked, who was received, and what was said: figures from turns."""
