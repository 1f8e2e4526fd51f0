"""Rule profiles: data files, and what they say of a day."""
