"""Buyers whose agents have not answered are offered to colleagues before it is too late."""
