"""When thresholds are looked at. Must not know what falls due."""

from typing import Final

THRESHOLDS_S: Final = 0.25
"""Pause between two looks for thresholds that fell due: with `waits.SETTLE_MS` and a commit an
alert stays well below a second late."""
