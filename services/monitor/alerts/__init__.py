"""What leaders are told of a shop's chats, in one list, and what people made of it."""
