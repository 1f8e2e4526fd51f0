"""Conversation: shops, staff, tokens, routing of buyers to agents, and the archive of the talk."""
