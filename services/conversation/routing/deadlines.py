"""When what falls due is looked at; what is done about it is `sweeps`'s."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from kit.errors import AppError, Unavailable

Work: TypeAlias = Callable[[], Awaitable[None]]

log = structlog.get_logger()

FILL_S: Final = 1.0
"""How often waiting buyers are offered again: overflow begins in time, and nothing is forgotten."""

SILENCE_LOOK_S: Final = 15.0
"""How often it is checked which buyers got no answer."""


class Sweep:
    """One sweep, as often as asked.

    A use case that refuses ends this sweep and not the process: the next one looks again.
    """

    def __init__(self, name: str, work: Work) -> None:
        self._name = name
        self._work = work

    async def __call__(self) -> None:
        """Sweep once. Raises `Unavailable`, which is for `Periodic` to wait out."""
        try:
            await self._work()
        except Unavailable:
            raise
        except AppError as refused:
            log.warning("deadlines.sweep_failed", sweep=self._name, reason=refused.slug)
