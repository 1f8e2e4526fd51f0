"""When what falls due is looked at; what is done about it is `sweeps`'s."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from kit.errors import AppError, Unavailable
from kit.leases import Leases

Work: TypeAlias = Callable[[], Awaitable[int | None]]
"""Does what is due; of work in batches it returns how much that was, and is called again."""

log = structlog.get_logger()

FILL_S: Final = 1.0
"""How often waiting buyers are offered again: overflow begins in time, and nothing is forgotten."""

SILENCE_LOOK_S: Final = 15.0
"""How often it is checked which buyers got no answer."""


LEASE: Final = "sweeps"


class SweepLoop:
    """One sweep, as often as asked, in that one of all processes which holds the lease (H39).

    A use case that refuses ends this sweep and not the process: the next one looks again. A sweep
    that outlives its lease harms nothing, for every step decides on what it has locked.
    """

    def __init__(self, name: str, work: Work, *, leases: Leases) -> None:
        self._name = name
        self._work = work
        self._leases = leases

    async def __call__(self) -> int | None:
        """Sweep once and return what the work does. Raises `Unavailable`, for `Periodic`."""
        if not await self._is_ours():
            return None
        try:
            return await self._work()
        except Unavailable:
            raise
        except AppError as refused:
            log.warning("deadlines.sweep_failed", sweep=self._name, reason=refused.slug)
            return None

    async def _is_ours(self) -> bool:
        """Take the lease, or ask for a sign of life on the connection that holds it."""
        if not self._leases.held(LEASE):
            return await self._leases.take(LEASE)
        await self._leases.check()
        return self._leases.held(LEASE)
