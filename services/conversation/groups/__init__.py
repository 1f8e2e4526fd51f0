"""Skill groups: the specialised groups of a shop's agents (C1)."""
