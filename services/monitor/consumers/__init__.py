"""Entries from the bus: the fold of the chat log, incidents, staff, the directory."""
