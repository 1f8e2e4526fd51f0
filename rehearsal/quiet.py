"""When a screen has had its time: ten seconds of quiet while it was connected (H26).

Knows time; what is shown and who is connected, it is told.
"""

from collections.abc import Callable
from typing import Final

from kit.clock import Clock

QUIET_S: Final = 10.0
"""A message that is not everywhere after so much quiet counts as lost (H26)."""

AWAY_S: Final = 45.0
"""Longest wait for quiet. A client waits up to 30 s between two tries (full jitter) and 10 s for an
answer: one that is still cut off then will not come back, and what it misses is lost."""

LOOK_S: Final = 0.1


async def settled(shown: Callable[[], bool], cut_off: Callable[[], bool], clock: Clock) -> None:
    """Return once everything is shown, else after `QUIET_S` in a row in which nobody was cut off.

    A client that waits for its next try to connect has lost nothing yet: it gets everything when it
    resumes, and then has the whole quiet time for it.
    """
    began = quiet_since = clock.monotonic()
    while not shown():
        now = clock.monotonic()
        if cut_off():
            quiet_since = now
        if now - quiet_since >= QUIET_S or now - began >= AWAY_S:
            return
        await clock.sleep(LOOK_S)
