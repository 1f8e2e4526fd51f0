"""A shop's days."""
