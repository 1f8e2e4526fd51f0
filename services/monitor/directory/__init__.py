"""Shops and people, as the directory lists them (H13)."""
