"""How often it is asked, and looked at, how far the fold is. Must not know what hangs on it.

A threshold waits for its settling (0.25 s), the next probe, and then for the records below that
probe: the fold's window (0.25 s), after which is looked at once, or the next tick where nothing
was to be folded. Together at most 0.9 s (H31).
"""

from typing import Final

PROBES_S: Final = 0.2
"""Pause between two questions where the partitions end."""

CALM_S: Final = 0.8
"""The pause while no threshold may fall due. Behind each answer it is noted then how far the fold
is, by the answer before at least; a board says that it is delayed when that is two seconds old."""

TICK_S: Final = 0.2
"""Pause between two looks that no batch brings about."""
