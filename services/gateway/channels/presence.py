"""Says who is connected here, who has just come, and at the end that nobody is any more (H16).

Knows the hub's people; what offline means is decided by who reads.
"""

from typing import Final

import structlog

from contracts.gateway import Connected, PresenceReported
from contracts.people import PLATFORM, PersonId, Role
from kit.bus.ports import BusAway, Producer, message_of
from kit.clock import Clock
from kit.ids import Ids
from services.gateway.hub import Hub

ACK_S: Final = 1.5
PEOPLE: Final = 2_000
"""People in one report; more are told of in several. A person takes 110 bytes, a record at most
512 KiB: 5,000 did not fit, and the report that failed ended the gateway."""

NEWCOMERS_S: Final = 1.0
"""How often staff who came since the last report are told of. Without it an agent whose gateway was
away for 15 s could miss a report before and one after, and lose his conversations."""

log: Final = structlog.get_logger("gateway.presence")


class Presence:
    """Reports when it is told to: by two periodic roles, and once at the end."""

    def __init__(
        self, producer: Producer, hub: Hub, *, gateway_id: str, clock: Clock, ids: Ids
    ) -> None:
        self._producer = producer
        self._hub = hub
        self._gateway_id = gateway_id
        self._clock = clock
        self._ids = ids
        self._told: set[PersonId] = set()

    async def report(self) -> None:
        """Say who is here. Raises `BusAway`."""
        people = [
            Connected(person_id=person, shop_id=shop, role=role)
            for person, shop, role in self._hub.connected()
        ]
        for first in range(0, max(1, len(people)), PEOPLE):
            await self._say(tuple(people[first : first + PEOPLE]), leaving=False)
        self._told = {one.person_id for one in people}

    async def greet(self) -> None:
        """Say which staff came since the last report, if anybody did. Raises `BusAway`."""
        came = [
            Connected(person_id=person, shop_id=shop, role=role)
            for person, shop, role in self._hub.connected()
            if role is not Role.BUYER and person not in self._told
        ]
        for first in range(0, len(came), PEOPLE):
            await self._say(tuple(came[first : first + PEOPLE]), leaving=False)
        self._told.update(one.person_id for one in came)

    async def leave(self) -> None:
        """Say that nobody is here any more; without a broker, silence says the same after 30 s."""
        try:
            await self._say((), leaving=True)
        except BusAway as away:
            log.warning("presence.unreported", reason=str(away))

    async def _say(self, people: tuple[Connected, ...], *, leaving: bool) -> None:
        report = PresenceReported(
            id=self._ids.new(),
            time=self._clock.now(),
            shop_id=PLATFORM,
            gateway_id=self._gateway_id,
            people=people,
            leaving=leaving,
        )
        await self._producer.send(message_of(report), timeout=ACK_S)
