"""When it is asked how far the topic of agents' states is read."""

from typing import Final

STAFFING_S: Final = 0.5
"""Pause between two questions: who asks whether a shop was staffed waits about so long."""
