"""Refresh tokens, of staff and buyers alike."""
