"""Members of staff: who they are, how they come and go."""
