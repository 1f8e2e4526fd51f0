"""Fires waiting thresholds as the fold passes them (H21), and answers who waits.

Must not know routes or SQL.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from contracts.monitor import WaitingBuyer
from contracts.people import ShopId
from kit import outbox
from kit.clock import Clock
from kit.postgres import Database
from services.monitor.directory.rules import Rules
from services.monitor.fold.engine import PartitionFold
from services.monitor.fold.service import Fence
from services.monitor.fold.states import Conversation
from services.monitor.response import measure as response_measure
from services.monitor.response import repository as response
from services.monitor.traffic import repository as traffic
from services.monitor.waiting import repository
from services.monitor.waiting.domain import Firing
from services.monitor.waiting.schemas import Waiting
from services.monitor.waiting.waits import States, Waits, alert_of

FIRED_AT_ONCE: Final = 1_000
"""Waits whose thresholds one transaction tells of; after an outage the next tick goes on."""

WATCHED_AT_ONCE: Final = 512
"""Conversations looked at between two turns of the event loop."""


Fallen = TypeVar("Fallen")


class Watching(Protocol[Fallen]):
    """The open waits of one partition; what fell due is returned until it is `told`."""

    @property
    def threatens(self) -> bool:
        """Whether one may fall due."""

    def watch(self, states: Iterable[Conversation]) -> None:
        """Put each open wait that is not watched yet on the wheel."""

    def due(self, states: States, *, through_ms: int, now_ms: int, limit: int) -> list[Fallen]:
        """Return what fell due, the oldest first."""

    def told(self) -> None:
        """Let what `due` returned last be done."""


class Follower(ABC, Generic[Fallen]):
    """The waits of all partitions that are folded here, by one rule; follows the fold.

    What is watched in a partition goes with its state, whoever lets go of that. One that was just
    taken over is not watched yet: most waits that a long catch-up begins are answered within it.
    """

    def __init__(self, database: Database, rules: Rules, *, clock: Clock) -> None:
        self._db = database
        self._rules = rules
        self._clock = clock
        self._waits: WeakKeyDictionary[PartitionFold, Watching[Fallen]] = WeakKeyDictionary()

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
        now_ms = self._clock.now_ms()
        due: dict[PartitionFold, list[Fallen]] = {}
        room = FIRED_AT_ONCE
        for fold, through_ms in moments.items():
            if fold not in self._waits:
                await self._begin(fold)
            due[fold] = self._waits[fold].due(
                fold.conversations, through_ms=through_ms, now_ms=now_ms, limit=room
            )
            room = max(0, room - len(due[fold]))
        if any(due.values()):
            async with self._db.write_across("waits that fall due") as session:
                await fence.hold(session, [fold.partition for fold, found in due.items() if found])
                await self._store(session, due, generation=fence.generation)
        for fold in due:
            self._waits[fold].told()

    async def _begin(self, fold: PartitionFold) -> None:
        """Watch the waits that a partition holds once it has caught up. Lets others run between."""
        waits = self._watching(fold, fold.states.place_of(response_measure.NAME))
        states = list(fold.conversations.values())
        for first in range(0, len(states), WATCHED_AT_ONCE):
            waits.watch(states[first : first + WATCHED_AT_ONCE])
            await asyncio.sleep(0)
        self._waits[fold] = waits

    @abstractmethod
    def _watching(self, fold: PartitionFold, place: int) -> Watching[Fallen]:
        """Return what watches a partition, whose response times stand at that place of a state."""

    @abstractmethod
    async def _store(
        self,
        session: AsyncSession,
        due: Mapping[PartitionFold, Sequence[Fallen]],
        *,
        generation: int,
    ) -> None:
        """Store what fell due with the events of what is new, while the partitions are ours."""


class Thresholds(Follower[Firing]):
    """Thresholds that a wait passes."""

    @override
    def _watching(self, fold: PartitionFold, place: int) -> Waits:
        return Waits(self._rules, fold.partition, place=place)

    @override
    async def _store(
        self,
        session: AsyncSession,
        due: Mapping[PartitionFold, Sequence[Firing]],
        *,
        generation: int,
    ) -> None:
        states = {fold.partition: fold.conversations for fold in due}
        firings = [firing for found in due.values() for firing in found]
        new = await repository.fire(session, firings, generation=generation)
        now = self._clock.now()
        alerts = (
            alert_of(firing, states[firing.partition][firing.conversation_id], now=now)
            for firing in new
        )
        await outbox.add(session, *alerts)


class Waiters:
    """The buyers of one shop who wait."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def read(self, shop_id: ShopId, *, limit: int) -> Waiting:
        """Return who waits, longest first."""
        async with self._db.read(shop_id) as session:
            found = await response.waits(session, shop_id, limit=limit)
            loads = await response.loads(session, shop_id, breach_before_ms=0)
            as_of = await traffic.as_of_ms(session, shop_id)
        return Waiting(
            as_of=None if as_of is None else _moment(as_of),
            waiting=sum(load.waiting for load in loads),
            items=[
                WaitingBuyer(
                    conversation_id=wait.conversation_id,
                    agent_id=wait.agent_id,
                    waiting_since=_moment(wait.since_ms),
                )
                for wait in found
            ],
        )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
