"""Says every ten seconds who is connected here, and once that nobody is any more (H16).

Knows the hub's people; what offline means is decided by who reads.
"""

import asyncio
from typing import Final

import structlog

from contracts.gateway import Connected, PresenceReported
from contracts.people import PLATFORM
from kit.bus.ports import BusAway, Producer, message_of
from kit.clock import Clock
from kit.ids import Ids
from services.gateway.hub import Hub

ACK_S: Final = 5.0
PEOPLE: Final = 5_000
"""People in one report; more are told of in several. A record must stay below 512 KiB."""

_log: Final = structlog.get_logger("gateway.presence")


class Presence:
    """A role."""

    def __init__(
        self,
        producer: Producer,
        hub: Hub,
        *,
        gateway_id: str,
        clock: Clock,
        ids: Ids,
        every_s: float,
    ) -> None:
        self._producer = producer
        self._hub = hub
        self._gateway_id = gateway_id
        self._clock = clock
        self._ids = ids
        self._every_s = every_s
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Nothing to get ready."""

    async def run(self) -> None:
        """Report until `stop`."""
        while not self._over.is_set():
            await self._report(leaving=False)
            sleep = asyncio.ensure_future(self._clock.sleep(self._every_s))
            over = asyncio.ensure_future(self._over.wait())
            await asyncio.wait({sleep, over}, return_when=asyncio.FIRST_COMPLETED)
            sleep.cancel()
            over.cancel()

    async def stop(self) -> None:
        """Say that nobody is here any more."""
        self._over.set()
        await self._report(leaving=True)

    async def _report(self, *, leaving: bool) -> None:
        people = [
            Connected(person_id=person, shop_id=shop, role=role)
            for person, shop, role in self._hub.connected()
        ]
        for first in range(0, max(1, len(people)), PEOPLE):
            report = PresenceReported(
                id=self._ids.new(),
                time=self._clock.now(),
                shop_id=PLATFORM,
                gateway_id=self._gateway_id,
                people=() if leaving else tuple(people[first : first + PEOPLE]),
                leaving=leaving,
            )
            try:
                await self._producer.send(message_of(report), timeout=ACK_S)
            except BusAway as away:
                _log.warning("presence.unreported", reason=str(away))
                return
