"""A service with a database: its pool, its outbox's relay, and an end for what is kept too long.

Knows the tables of `kit.tables` alone.
"""

import asyncio
from typing import TypeVar

from typing_extensions import override

from kit import inbox, keyed
from kit.bus.ports import Bus
from kit.clock import Clock
from kit.postgres import Database
from kit.relay import Relay
from kit.service import retention
from kit.service.core import Service
from kit.service.retention import Retention
from kit.settings import DatabaseSettings, Environment
from kit.timers import Fire, Timers

D = TypeVar("D", bound=DatabaseSettings)


class DatabaseService(Service[D]):
    """A service that stores: its pool and its outbox come with it."""

    def __init__(self, name: str, settings: D, *, clock: Clock, bus: Bus) -> None:
        super().__init__(name, settings, clock=clock, bus=bus)
        self.db = self._database(name, settings.database_pool)
        self._pools = [self.db]
        self._timers: Timers | None = None
        self._retention = Retention(clock)
        self.health.register("bus", bus.ping)
        self.resource(stop=self.db.close, ping=("database", self.db.ping))
        if settings.environment is Environment.PRODUCTION:
            self.health.register("row_security", self.db.require_policies)
        self.role(Relay(self.db, bus, metrics=self.metrics))
        self.every(retention.EVERY_S, "retention", self._retention.sweep)

    def pool(self, part: str, size: int) -> Database:
        """Open connections that a part has to itself, so that neither waits for the other's."""
        pool = self._database(f"{self.name}-{part}", size)
        self._pools.append(pool)
        self.resource(stop=pool.close)
        return pool

    def timer(self, kind: str, fire: Fire) -> None:
        """Call `fire` when timers of that kind fall due."""
        if self._timers is None:
            self._timers = Timers(self.db, metrics=self.metrics, clock=self.clock)
            self.role(self._timers)
        self._timers.on(kind, fire)

    def forgets_repeats(self) -> None:
        """Delete answers to keyed commands and inbox rows once no repeat can come."""
        self.forgets(self._forget_repeats)

    def forgets(self, batch: retention.Batch) -> None:
        """Delete old rows by this, batch by batch, for as long as it returns that rows went."""
        self._retention.add(batch)

    @override
    async def close(self) -> None:
        try:
            await super().close()
        finally:
            await asyncio.gather(*(pool.close() for pool in self._pools))

    def _database(self, name: str, size: int) -> Database:
        url = self.settings.database_url.get_secret_value()
        # `peakdesk-...` is a release that names no shop; the launcher tells them apart.
        return Database(url, schema=self.name, pool_size=size, name=f"peakdesk/{name}")

    async def _forget_repeats(self) -> int:
        async with self.db.write_across("answers and inbox rows that no repeat needs") as session:
            return await keyed.forget(session) + await inbox.forget(session)
