"""Buyers: who they are, and what is shown of them."""
