"""Words in chats, found again: an index that follows the archive, and who may ask it."""
