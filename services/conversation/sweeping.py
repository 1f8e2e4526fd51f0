"""Sweeping: looks for what falls due, in that one of all processes which holds the lease (H39).

Knows no subject: what is looked for, and what is done about it, is a use case of each.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from kit.errors import AppError, Unavailable
from kit.leases import Leases

log = structlog.get_logger()

Work: TypeAlias = Callable[[], Awaitable[int | None]]
"""Does what is due; of work in batches it returns how much that was, and is called again."""

LEASE: Final = "sweeps"


class SweepLoop:
    """One sweep, as often as asked, in the process that holds the lease.

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
