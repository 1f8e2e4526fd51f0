"""When channels are looked at. Must not know what is sent."""

from typing import Final

EVERY_S: Final = 0.5
"""Pause between two looks for deliveries that are due."""

CALM_S: Final = 1.0
"""The pause while there are none: an alert is on its way to a robot after a second, at most."""
