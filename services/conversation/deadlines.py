"""What falls due without anybody acting: buyers who wait on, agents who stay silent, old rows.

Any number of replicas may run it: each step takes the shop's lock and looks again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeAlias

import structlog

from kit import inbox
from kit.clock import Clock
from kit.errors import AppError
from kit.postgres import Database
from kit.web import idempotency
from services.conversation.repository import conversations, origins, people, routing
from services.conversation.service.login_limits import FAMILIAR
from services.conversation.service.routing import Routing

Sweep: TypeAlias = Callable[[], Awaitable[None]]

log = structlog.get_logger()

FILL_S: Final = 1.0
"""How often waiting buyers are offered again: overflow begins in time, and nothing is forgotten."""

SILENCE_LOOK_S: Final = 15.0
"""How often it is checked which buyers got no answer."""

CLEAN_S: Final = 60.0
FORGOTTEN_AT_ONCE: Final = 5000


class Deadlines:
    """A role: the sweeps of this service."""

    def __init__(
        self, db: Database, routing_use: Routing, *, silence: timedelta, clock: Clock
    ) -> None:
        self._db = db
        self._routing = routing_use
        self._silence = silence
        self._clock = clock
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Nothing to prepare."""

    async def run(self) -> None:
        """Sweep until `stop`."""
        sweeps = (
            self._every(FILL_S, self.fill),
            self._every(SILENCE_LOOK_S, self.relieve),
            self._every(CLEAN_S, self.clean),
        )
        tasks = [asyncio.create_task(sweep) for sweep in sweeps]
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*tasks, stopped):
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)

    async def stop(self) -> None:
        """Stop sweeping."""
        self._stopping.set()

    async def fill(self) -> None:
        """Offer whoever waits to whoever has room."""
        async with self._db.read() as session:
            shops = await routing.shops_waiting(session)
        for shop_id in shops:
            async with self._db.write() as session:
                await conversations.lock_shops(session, [shop_id])
                await self._routing.fill(session, shop_id, "sweep")

    async def relieve(self) -> None:
        """Give buyers whose agent has been silent for too long to somebody else (C12)."""
        before = self._clock.now() - self._silence
        async with self._db.read() as session:
            owed = await routing.owed_an_answer(session, before=before)
            found = await conversations.find_all(session, owed)
        for shop_id in sorted({one.shop_id for one in found}):
            async with self._db.write() as session:
                await conversations.lock_shops(session, [shop_id])
                again = await routing.owed_an_answer(session, before=before, shop_id=shop_id)
                await self._routing.take_from_silent(session, shop_id, again, "silence")
                log.info("conversations.taken_from_silent", shop_id=shop_id, count=len(again))

    async def clean(self) -> None:
        """Forget what has had its time."""
        async with self._db.write() as session:
            await inbox.forget(session)
            await idempotency.forget(session)
            now = self._clock.now()
            await people.forget_expired(session, now, limit=FORGOTTEN_AT_ONCE)
            await origins.forget(session, now - FAMILIAR, limit=FORGOTTEN_AT_ONCE)

    async def _every(self, seconds: float, sweep: Sweep) -> None:
        while True:
            try:
                await sweep()
            except AppError as error:
                log.warning("deadlines.sweep_failed", reason=error.slug)
            await self._clock.sleep(seconds)
