"""Tells, as the fold passes them, of waits that a colleague may be asked to answer (N16).

Must not know routes or SQL.
"""

import asyncio
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

from kit import outbox
from kit.clock import Clock
from kit.postgres import Database
from services.monitor.directory.rules import Rules
from services.monitor.fold.engine import PartitionFold
from services.monitor.fold.service import Fence
from services.monitor.fold.states import Conversation
from services.monitor.handoffs import repository
from services.monitor.handoffs.domain import LongWait
from services.monitor.handoffs.waits import OpenWaits, event_of
from services.monitor.response import measure as response
from services.monitor.waiting.service import FIRED_AT_ONCE, WATCHED_AT_ONCE


class LongWaits:
    """The long waits of all partitions that are folded here; follows the fold as thresholds do."""

    def __init__(self, database: Database, rules: Rules, *, clock: Clock) -> None:
        self._db = database
        self._rules = rules
        self._clock = clock
        self._waits: WeakKeyDictionary[PartitionFold, OpenWaits] = WeakKeyDictionary()

    @property
    def waits(self) -> bool:
        """Whether one may fall due."""
        return any(waits.threatens for waits in self._waits.values())

    def folded(self, fold: PartitionFold, touched: Sequence[Conversation]) -> None:
        """Watch the waits that may have begun, in a partition that has caught up once."""
        waits = self._waits.get(fold)
        if waits is not None:
            waits.watch(touched)

    async def through(self, moments: Mapping[PartitionFold, int], fence: Fence) -> None:
        """Tell of what fell due in partitions folded through those moments. Raises `Fenced`.

        What could not be stored falls due again the next time.
        """
        now_ms, room = self._clock.now_ms(), FIRED_AT_ONCE
        due: dict[PartitionFold, list[LongWait]] = {}
        for fold, through_ms in moments.items():
            if fold not in self._waits:
                await self._begin(fold)
            due[fold] = self._waits[fold].due(
                fold.conversations, through_ms=through_ms, now_ms=now_ms, limit=room
            )
            room = max(0, room - len(due[fold]))
        if any(due.values()):
            await self._store(due, fence)
        for fold in due:
            self._waits[fold].told()

    async def _begin(self, fold: PartitionFold) -> None:
        """Watch the waits that a partition holds once it has caught up. Lets others run between."""
        waits = OpenWaits(self._rules, fold.partition, place=fold.states.place_of(response.NAME))
        states = list(fold.conversations.values())
        for first in range(0, len(states), WATCHED_AT_ONCE):
            waits.watch(states[first : first + WATCHED_AT_ONCE])
            await asyncio.sleep(0)
        self._waits[fold] = waits

    async def _store(self, due: Mapping[PartitionFold, Sequence[LongWait]], fence: Fence) -> None:
        """Store them with the events of those that are new, while their partitions are ours."""
        async with self._db.write_across("waits that fall due") as session:
            await fence.hold(session, [fold.partition for fold, found in due.items() if found])
            found = [wait for waits in due.values() for wait in waits]
            new = await repository.add(session, found, generation=fence.generation)
            now = self._clock.now()
            await outbox.add(session, *(event_of(wait, now=now) for wait in new))
