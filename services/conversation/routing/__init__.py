"""Routing: brings together who waits and who has room."""
