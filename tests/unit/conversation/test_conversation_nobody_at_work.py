"""While nobody is at work the broker is not asked each second whether a report would be known."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import pytest
from typing_extensions import override

from contracts.people import AgentState, PersonId, ShopId
from contracts.topics import PRESENCE
from kit.bus.memory import MemoryBus
from kit.clock import ManualClock
from kit.metrics import Metrics
from services.conversation.presence.consumers import KNOWN_S, LOOK_S, Presence
from services.conversation.presence.service import States
from services.conversation.staff.domain import AtWork
from tests.waiting import eventually

pytestmark = pytest.mark.unit

AGENT = AtWork(PersonId("a"), ShopId("s"), AgentState.ONLINE, None)


class Asked(MemoryBus):
    """A broker that counts how often it was asked for a sign of life."""

    pings = 0

    @override
    async def ping(self) -> None:
        self.pings += 1
        await super().ping()


class Staff:
    """Stands in for the states: who is at work can be said."""

    def __init__(self) -> None:
        self.people: Sequence[AtWork] = ()

    async def at_work(self) -> Sequence[AtWork]:
        return self.people


async def test_the_broker_is_asked_only_for_somebody_at_work() -> None:
    bus, clock, staff = Asked(), ManualClock(datetime(2026, 11, 11, tzinfo=UTC)), Staff()
    bus.add_topic(PRESENCE.name, 1)
    presence = Presence(
        bus, cast("States", staff), lost_after_s=30.0, clock=clock, metrics=Metrics()
    )
    running = asyncio.create_task(presence.loop.run())

    async def looks(seconds: float) -> int:
        before = bus.pings
        for _ in range(round(seconds / LOOK_S)):
            await presence.look()
            clock.advance(LOOK_S)
        return bus.pings - before

    try:
        await eventually(presence.loop.caught_up.is_set)

        assert await looks(4 * KNOWN_S) == 4, "as often as it is read who is at work"

        staff.people = [AGENT]
        await looks(KNOWN_S)
        assert await looks(KNOWN_S) == KNOWN_S / LOOK_S
    finally:
        await presence.loop.stop()
        await running
