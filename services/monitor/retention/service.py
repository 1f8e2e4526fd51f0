"""Deletes what the monitor has kept for as long as it is told to (H50). Must not know SQL."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Final, TypeAlias

from contracts.people import ShopId
from kit.clock import Clock
from kit.postgres import Database
from services.monitor.directory.shops import Directory
from services.monitor.retention import repository
from services.monitor.retention.repository import ALERTS, EVIDENCE, FIGURES, Aged, Moment
from services.monitor.settings import Settings

AT_ONCE: Final = 2_000
"""Rows that one transaction deletes."""

LOOK_S: Final = 600.0
"""Pause between two looks for what has grown old: each asks for every shop's oldest rows."""

Batch: TypeAlias = Callable[[], Awaitable[int]]


class Expiry:
    """Old rows of all shops. A shop's local day goes as a whole, for figures are of days.

    Any number of monitors may delete; a day off is caught up with, batch by batch.
    """

    def __init__(
        self,
        database: Database,
        directory: Directory,
        settings: Settings,
        *,
        known: asyncio.Event,
        clock: Clock,
    ) -> None:
        """`known`: the directory is read, so that days are the shops' own. Before, nothing goes."""
        self._db = database
        self._directory = directory
        self._known = known
        self._clock = clock
        self._spans_kept = timedelta(days=settings.evidence_kept_days)
        self._kept: Mapping[Aged, timedelta] = {
            **dict.fromkeys(FIGURES, timedelta(days=settings.figures_kept_days)),
            **dict.fromkeys(EVIDENCE, timedelta(days=settings.evidence_kept_days)),
            **dict.fromkeys(ALERTS, timedelta(days=settings.alerts_kept_days)),
        }
        self._left: deque[Batch] = deque()
        self._look_at = 0.0

    async def batch(self) -> int:
        """Delete a batch of old rows and return how many; 0 when none are left for now."""
        if not self._known.is_set():
            return 0
        if not self._left and self._clock.monotonic() >= self._look_at:
            self._look_at = self._clock.monotonic() + LOOK_S
            await self._look()
        while self._left:
            gone = await self._left[0]()
            if gone < AT_ONCE:
                self._left.popleft()
            if gone:
                return gone
        return 0

    async def _look(self) -> None:
        """Note what has grown old, by kind and shop."""
        self._left.append(self._delete_spans)
        for aged, kept in self._kept.items():
            async with self._db.read_across("which shops have old rows") as session:
                oldest = await repository.oldest(session, aged)
            for shop_id, at in oldest.items():
                before = self._before(shop_id, at, kept)
                if before is not None:
                    self._left.append(partial(self._delete, aged, shop_id, before))

    def _before(self, shop_id: ShopId, oldest: Moment, kept: timedelta) -> Moment | None:
        """Return the beginning of the first day that stays; None if nothing is from before it."""
        calendar = self._directory.calendar(shop_id)
        first = calendar.day(self._clock.now_ms()) - kept
        if isinstance(oldest, date):
            return first if oldest < first else None
        midnight = calendar.midnight(first)
        return midnight if oldest < midnight else None

    async def _delete(self, aged: Aged, shop_id: ShopId, before: Moment) -> int:
        async with self._db.write(shop_id) as session:
            return await repository.delete_older(
                session, aged, shop_id, before=before, limit=AT_ONCE
            )

    async def _delete_spans(self) -> int:
        before = self._clock.now() - self._spans_kept
        async with self._db.write_across("wording rules that hold for no message kept") as session:
            return await repository.delete_spans(session, before=before, limit=AT_ONCE)
