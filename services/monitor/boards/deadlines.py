"""When boards are looked at. Must not know what a board holds."""

from typing import Final

BOARDS_S: Final = 0.2
"""Pause between two looks for changed boards. With the fold's window (0.25 s) and the pause between
two boards of a shop (0.5 s), event to board stays below a second."""

CALM_S: Final = 0.5
"""The pause while no board changes: the first that does waits for no board before it."""
