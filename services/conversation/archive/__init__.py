"""The archive: stores what the chat topic says."""
