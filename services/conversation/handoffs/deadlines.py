"""How often offers are looked at; what is done about them is `sweeps`'s."""

from typing import Final

LOOK_S: Final = 1.0
"""Somebody is asked, or an offer ends, within it."""
