"""Reads and writes of schema `conversation`: rows in, facts of `domain` out. Decides nothing."""
