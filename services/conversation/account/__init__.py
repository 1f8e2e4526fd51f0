"""A person's own account: what he is shown of himself, and his own password."""
