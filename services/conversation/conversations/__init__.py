"""Conversations: what they are, what may happen to one, who may know of it."""
