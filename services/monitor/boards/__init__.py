"""The supervisor board of a shop: read, and published as it changes (H20)."""
