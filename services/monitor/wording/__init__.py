"""Delivered messages that break a wording rule."""
