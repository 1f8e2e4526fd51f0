"""The pages of `docs/` that are made from code, so that they cannot be wrong.

`python -m tools.pages` writes them; a test compares each with what is committed.
"""
