"""Says who is connected here, who has just come, and at the end that nobody is any more (H16).

Must not know sockets; what offline means is decided by who reads.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from contracts.gateway import Connected, PresenceReported
from contracts.people import PLATFORM, PersonId, Role, ShopId
from kit.bus.ports import BusAway, Producer, message_of
from kit.clock import Clock
from kit.ids import Ids

ACK_S: Final = 1.5
PEOPLE: Final = 2_000
"""People in one report; more are told of in several. A person takes 110 bytes, a record at most
512 KiB: 5,000 did not fit, and the report that failed ended the gateway."""

NEWCOMERS_S: Final = 1.0
"""How often staff who came since the last report are told of. Without it an agent whose gateway was
away for 15 s could miss a report before and one after, and lose his conversations."""

log: Final = structlog.get_logger("gateway.presence")


class People(Protocol):
    """Who is here (`hub.Hub`)."""

    def connected(self) -> Sequence[tuple[PersonId, ShopId, Role]]:
        """Return everybody with at least one open socket."""


class Presence:
    """Reports when it is told to: by two periodic roles, and once at the end."""

    def __init__(
        self, producer: Producer, people: People, *, gateway_id: str, clock: Clock, ids: Ids
    ) -> None:
        self._producer = producer
        self._people = people
        self._gateway_id = gateway_id
        self._clock = clock
        self._ids = ids
        self._told: set[PersonId] = set()

    async def report(self) -> None:
        """Say who is here. Raises `BusAway`."""
        people = [
            Connected(person_id=person, shop_id=shop, role=role)
            for person, shop, role in self._people.connected()
        ]
        for first in range(0, max(1, len(people)), PEOPLE):
            await self._say(tuple(people[first : first + PEOPLE]), leaving=False)
        self._told = {one.person_id for one in people}

    async def greet(self) -> None:
        """Say which staff came since the last report, if anybody did. Raises `BusAway`."""
        came = [
            Connected(person_id=person, shop_id=shop, role=role)
            for person, shop, role in self._people.connected()
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
