"""A service with a database: its pool, its outbox's relay, and an end for what is kept too long.

Knows the tables of `kit.tables` alone.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from typing_extensions import override

from kit import inbox, keyed
from kit.bus.ports import Bus
from kit.clock import Clock
from kit.postgres import Database
from kit.relay import Relay
from kit.service.core import Service
from kit.settings import DatabaseSettings
from kit.timers import Fire, Timers

D = TypeVar("D", bound=DatabaseSettings)

FORGET_EVERY_S: Final = 60.0
"""Forgetting takes at most a few thousand rows at once, so it comes often."""


class DatabaseService(Service[D]):
    """A service that stores: its pool and its outbox come with it."""

    def __init__(self, name: str, settings: D, *, clock: Clock, bus: Bus) -> None:
        super().__init__(name, settings, clock=clock, bus=bus)
        self.db = Database(
            settings.database_url.get_secret_value(),
            schema=name,
            pool_size=settings.database_pool,
            name=f"peakdesk-{name}",
        )
        self._forgetting: list[Callable[[], Awaitable[object]]] = []
        self._timers: Timers | None = None
        self.health.register("bus", bus.ping)
        self.resource(stop=self.db.close, ping=("database", self.db.ping))
        self.role(Relay(self.db, bus, metrics=self.metrics))
        self.every(FORGET_EVERY_S, "forgetting", self._forget_all)

    def timer(self, kind: str, fire: Fire) -> None:
        """Call `fire` when timers of that kind fall due."""
        if self._timers is None:
            self._timers = Timers(self.db, metrics=self.metrics, clock=self.clock)
            self.role(self._timers)
        self._timers.on(kind, fire)

    def forgets_repeats(self) -> None:
        """Delete answers to keyed commands and inbox rows once no repeat can come."""
        self.forgets(self._forget_repeats)

    def forgets(self, work: Callable[[], Awaitable[object]]) -> None:
        """Call `work` when old rows are deleted: it takes a few thousand at most, and says when."""
        self._forgetting.append(work)

    @override
    async def close(self) -> None:
        try:
            await super().close()
        finally:
            await self.db.close()

    async def _forget_all(self) -> None:
        for work in self._forgetting:
            await work()

    async def _forget_repeats(self) -> None:
        async with self.db.write_across("answers and inbox rows that no repeat needs") as session:
            await keyed.forget(session)
            await inbox.forget(session)
