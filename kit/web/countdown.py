"""Something that is done after a while unless it is stopped before.

Knows the event loop; must not know what is done.
"""

import asyncio
from collections.abc import Callable


class Countdown:
    """One timer at a time, for a limit that is begun and kept many times."""

    __slots__ = ("_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        """Tell whether it was started, and neither stopped nor over."""
        return self._timer is not None

    def start(self, seconds: float, over: Callable[[], object]) -> None:
        """Call `over` after so long, unless it runs already."""
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._over, over)

    def restart(self, seconds: float, over: Callable[[], object]) -> None:
        """Call `over` after so long, and nothing that was to be called before."""
        self.stop()
        self.start(seconds, over)

    def stop(self) -> None:
        """Call nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self, over: Callable[[], object]) -> None:
        self._timer = None
        over()
