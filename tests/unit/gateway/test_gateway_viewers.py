"""Who looks at a conversation: how long, and what is kept of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.conversation import PersonListed
from contracts.gateway import StaffSignal
from contracts.people import ConversationId, PersonId, Role, ShopId
from contracts.topics import DIRECTORY, SIGNALS
from kit.bus.ports import Record, message_of
from kit.clock import ManualClock
from services.gateway.hub import Directory
from services.gateway.streams.viewers import FOR_S, SHOWN, Viewers
from tests.unit.gateway.talk import Stream

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)


class Screens:
    """A conversation that two agents, a leader and its buyer have open."""

    def __init__(self) -> None:
        self.talk, self.clock, self.directory = Stream("anne", "bert"), ManualClock(), Directory()
        for name in ("anne", "bert"):
            self._list(name)
        self.viewers = Viewers(self.talk.stream.watched, self.directory, self.clock)

    def _list(self, name: str) -> None:
        entry = PersonListed(
            id=name,
            time=AT,
            shop_id=ShopId("shop"),
            subject=PersonId(name),
            name=name.title(),
            role=Role.AGENT,
            active=True,
            not_before=AT,
            version=1,
        )
        self.directory.apply(_record(DIRECTORY.name, entry))

    def look(self, who: str, *, on: bool | None = True, **change: Any) -> None:
        """Let somebody say that he looks."""
        fields: dict[str, Any] = {
            "id": "s",
            "time": AT,
            "shop_id": ShopId("shop"),
            "conversation_id": ConversationId("c1"),
            "person_id": PersonId(who),
            "signal": "viewing",
            "on": on,
        }
        self.viewers.hear(_record(SIGNALS.name, StaffSignal(**(fields | change))))

    def seen(self, who: str) -> list[list[str]]:
        """Return what somebody was shown, one after the other."""
        patches = [one for one in self.talk.screens[who].frames if one["t"] == "patch"]
        return [[viewer["name"] for viewer in one["d"]["viewers"]] for one in patches]


def _record(topic: str, event: Any) -> Record:
    sent = message_of(event)
    return Record(topic, 0, 0, 0, sent.key, sent.value, sent.headers)


async def test_who_says_nothing_more_is_forgotten_and_who_goes_on_is_not() -> None:
    screens = Screens()
    screens.look("anne")
    screens.look("bert")
    await screens.clock.walk(FOR_S - 1)
    screens.look("anne")

    await screens.clock.walk(2)
    await screens.viewers.expire()

    assert screens.seen("bert") == [["Anne"], ["Anne", "Bert"], ["Anne"]]
    assert screens.seen("b") == []
    await screens.clock.walk(FOR_S)
    await screens.viewers.expire()
    assert (screens.seen("bert")[-1], len(screens.viewers)) == ([], 0)


async def test_a_heartbeat_tells_nobody_but_who_said_it() -> None:
    screens = Screens()
    screens.look("anne")
    screens.look("anne")

    assert screens.seen("anne") == [["Anne"], ["Anne"]]
    assert screens.seen("bert") == [["Anne"]]


async def test_nothing_is_kept_of_what_nobody_has_open() -> None:
    screens = Screens()
    screens.look("anne", conversation_id=ConversationId("c2"))
    assert len(screens.viewers) == 0

    screens.look("anne")
    for subscription in screens.talk.subscriptions.values():
        screens.talk.hub.detach(subscription)
    await screens.viewers.expire()

    assert len(screens.viewers) == 0


async def test_a_crowd_is_cut_off() -> None:
    screens = Screens()
    for number in range(SHOWN + 5):
        screens.look(f"p{number}")

    assert len(screens.seen("boss")[-1]) == SHOWN


async def test_reading_is_no_looking() -> None:
    screens = Screens()
    screens.look("anne", signal="read", on=None, position=(1, 2))

    assert screens.seen("bert") == []
