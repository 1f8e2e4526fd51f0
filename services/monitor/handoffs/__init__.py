"""Buyers whose agents have not answered, told of before it is too late (N15, N16)."""
