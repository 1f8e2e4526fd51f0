"""When boards are looked at. Must not know what a board holds."""

from typing import Final

BOARDS_S: Final = 0.2
"""Pause between two looks for changed boards. With a fold window of 100 ms, event to board stays
well below a second."""
