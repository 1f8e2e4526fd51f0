"""Who holds a conversation, wherever lifecycle and messages stand in the log (H7, H8, H33).

Each case is a log, and what a watching supervisor is shown of it; then where a buyer goes on whose
conversation was closed long ago (H30).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest

from contracts.base import Event
from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationContacted,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    LateMessage,
)
from contracts.people import ConversationId, MessageId, PersonId, Role, ShopId, SkillGroupId
from kit.bus.memory import MemoryBus
from kit.bus.ports import Message, Record, message_of
from kit.clock import ManualClock
from kit.metrics import Metrics
from services.gateway.channels import ChatChannel
from services.gateway.frames import records, server
from services.gateway.history import Ring
from services.gateway.hub import (
    Conversation,
    ConversationSubscription,
    Hub,
    Person,
    QueueLimits,
    SocketSession,
)
from services.gateway.hub.conversations import SubscriptionState
from services.gateway.limits import Rate
from services.gateway.streams import ConversationStream, News
from tests.unit.gateway.nobody import NoLanes

pytestmark = pytest.mark.unit

AT: Final = datetime(2026, 11, 11, tzinfo=UTC)
SHOP: Final = ShopId("s")
GROUP: Final = SkillGroupId("g")
_NUMBERS: Final = itertools.count()


# ---- what stands in a log


def base(version: int) -> dict[str, Any]:
    """Return the common fields of a lifecycle event."""
    return {
        "id": f"event-{version}",
        "time": AT,
        "shop_id": SHOP,
        "conversation_id": ConversationId("c1"),
        "buyer_id": PersonId("b"),
        "version": version,
    }


def assigned(agent: str, version: int) -> Event:
    """An agent has the conversation from this version on."""
    return ConversationAssigned(
        **base(version), agent_id=PersonId(agent), skill_group_id=GROUP, reason="r"
    )


def transferred(old: str, new: str | None, version: int) -> Event:
    """The owner handed it on."""
    return ConversationTransferred(
        **base(version),
        from_agent_id=PersonId(old),
        to_agent_id=None if new is None else PersonId(new),
        to_skill_group_id=GROUP,
        note="",
        by=PersonId(old),
    )


def queued(version: int) -> Event:
    """Its agent was lost."""
    return ConversationQueued(**base(version), skill_group_id=GROUP, reason="lost")


def closed(version: int) -> Event:
    """Nobody owes an answer."""
    return ConversationClosed(**base(version), agent_id=None, by=PersonId("a"))


def reopened(version: int) -> Event:
    """It goes on."""
    return ConversationReopened(**base(version), by=PersonId("b"), reason="buyer_message")


def late(version: int, *, agent: str | None = "x") -> Event:
    """Its buyer wrote here, and has another conversation open."""
    return LateMessage(
        **base(version),
        message_id=MessageId("m"),
        continue_in=ConversationId("c2"),
        agent_id=None if agent is None else PersonId(agent),
    )


def contacted(version: int) -> Event:
    """Its buyer wrote into one that was closed long ago."""
    return ConversationContacted(
        **base(version),
        message_id=MessageId("m"),
        written_in=ConversationId("c0"),
        received_at=AT,
    )


def says(sender: str, version: int | None, kind: Any = "agent") -> Message:
    """Somebody writes, an agent from a seat of that version."""
    body = records.ChatBody(
        SHOP, "c1", sender, kind, "client", "text", msgspec.Raw(b'{"text":"x"}'), "h", version
    )
    return records.message(body, f"message-{next(_NUMBERS)}", time="2026-11-11T00:00:00.000Z")


Log = Sequence[Event | Message]


# ---- a gateway's stream that is given a log


@dataclass
class Screen:
    """A wire that remembers what came."""

    frames: list[dict[str, Any]] = field(default_factory=list)

    def write(self, frame: bytes) -> None:
        self.frames.append(msgspec.json.decode(server.payload_of(frame)))

    def close(self, code: int, reason: str) -> None:
        """Nobody is closed here."""

    def abort(self) -> None:
        """Nothing to cut."""


class Stream:
    """A conversation that people watch, fed by hand; `told` is what goes to inboxes."""

    def __init__(self) -> None:
        clock, nobody = ManualClock(), None
        self.hub = Hub(clock)
        self.told: list[News] = []
        self.stream = ConversationStream(
            self.hub,
            nobody,  # type: ignore[arg-type] # nobody joins
            nobody,  # type: ignore[arg-type]
            lanes=NoLanes(),
            tell=self.told.append,
        )
        self.chat = ChatChannel(
            MemoryBus(partitions=1),
            self.stream,
            ring=Ring(),
            clock=clock,
            metrics=Metrics(),
            ring_s=60,
        )
        self.screens: dict[str, Screen] = {}
        self.subscriptions = {
            name: self._subscribe(name, role)
            for name, role in (
                ("b", Role.BUYER),
                ("a", Role.AGENT),
                ("x", Role.AGENT),
                ("boss", Role.SUPERVISOR),
            )
        }
        self._offset = 0

    def _subscribe(self, name: str, role: Role) -> ConversationSubscription:
        screen = self.screens[name] = Screen()
        socket = SocketSession(
            screen,
            Person(PersonId(name), role, SHOP, "", 0, 10**12),
            socket_id=name,
            bucket=Rate(1, 1).bucket(ManualClock()),
            limits=QueueLimits(),
            drained=lambda _: None,
            now=0,
        )
        self.hub.enter(socket)
        subscription = self.stream.add(socket, b"c1")
        subscription.state = SubscriptionState.LIVE
        return subscription

    @property
    def conversation(self) -> Conversation:
        """What is known of it."""
        return self.stream.watched[b"c1"]

    def feed(self, log: Log) -> None:
        """Let records come."""
        for one in log:
            message = one if isinstance(one, Message) else message_of(one)
            record = Record("chat", 0, self._offset, 0, message.key, message.value, message.headers)
            self._offset += 1
            self.chat.handle([record])

    def marked(self) -> list[str]:
        """Return the senders of messages that were shown as from a lost seat."""
        return [
            frame["d"]["sender_id"]
            for frame in self.screens["boss"].frames
            if frame.get("not_owner") is True
        ]

    def may_send(self) -> set[str]:
        """Return who may write."""
        return {name for name, subscription in self.subscriptions.items() if subscription.may_speak}


CASES: Final[dict[str, tuple[Log, str | None, list[str]]]] = {
    "an agent answers": ([assigned("a", 3), says("a", 3)], "a", []),
    "a goodbye": ([assigned("a", 3), closed(6), says("a", 3)], None, ["a"]),
    "a goodbye from a seat between": ([assigned("a", 3), closed(6), says("a", 5)], None, ["a"]),
    "a goodbye from a seat at the close": (
        [assigned("a", 3), closed(6), says("a", 6)],
        None,
        ["a"],
    ),
    "a lost seat": ([assigned("a", 3), assigned("x", 5), says("a", 3)], "x", ["a"]),
    "a seat lost to the queue": ([assigned("a", 3), queued(4), says("a", 3)], None, ["a"]),
    "handed on": ([assigned("a", 3), transferred("a", "x", 5), says("x", 5)], "x", []),
    "handed to a queue": ([assigned("a", 3), transferred("a", None, 5), says("a", 3)], None, ["a"]),
    "a reply before its assignment": ([assigned("a", 3), says("x", 5)], "x", []),
    "its assignment comes after it": (
        [assigned("a", 3), says("x", 5), queued(4), assigned("x", 5)],
        "x",
        [],
    ),
    "a goodbye after a reopening": (
        [assigned("a", 3), closed(6), reopened(7), says("a", 3)],
        None,
        ["a"],
    ),
    "a new seat after a reopening": (
        [assigned("a", 3), closed(6), reopened(7), assigned("a", 8), says("a", 3), says("a", 8)],
        "a",
        ["a"],
    ),
    "the same agent again": (
        [assigned("a", 3), queued(4), assigned("a", 5), says("a", 3), says("a", 5)],
        "a",
        ["a"],
    ),
    "a reply of the new seat before the reopening": (
        [assigned("a", 3), closed(6), says("a", 8), reopened(7), assigned("a", 8)],
        "a",
        [],
    ),
    "a close that comes late": ([assigned("a", 3), says("x", 8), closed(6)], "x", []),
    "an assignment that comes after its close": (
        [says("x", 5), closed(6), assigned("x", 5), says("x", 5)],
        None,
        ["x"],
    ),
    "a supervisor without a seat": ([assigned("a", 3), says("boss", 3)], "a", ["boss"]),
    "a bot": ([assigned("a", 3), closed(6), says("bot", None, "assist_bot")], None, []),
}


@pytest.mark.parametrize("name", CASES)
def test_a_log_says_who_holds_the_conversation_and_which_replies_came_from_a_lost_seat(
    name: str,
) -> None:
    log, owner, marked = CASES[name]
    stream = Stream()
    stream.feed(log)

    assert stream.conversation.owner_id == owner
    assert stream.marked() == marked
    assert stream.may_send() == {"b"} | ({owner} if owner else set())
    written = [dict(one.headers)["ce_id"].decode() for one in log if isinstance(one, Message)]
    shown = [frame["id"] for frame in stream.screens["b"].frames if "sender_id" in frame["d"]]
    assert shown == written


# ---- where a buyer goes on


def adopted(stream: Stream, version: int, continue_in: str | None) -> None:
    """Let the archive's snapshot come: of a closed conversation."""
    stream.conversation.adopt(
        buyer=PersonId("b"), owner=None, version=version, assignment=3, continue_in=continue_in
    )


@pytest.mark.parametrize("how", ["attach", "late message"])
def test_the_buyer_of_a_conversation_closed_long_ago_is_led_to_the_other_one(how: str) -> None:
    stream = Stream()
    stream.feed([assigned("a", 3), closed(6)])
    assert [subscription.continue_in for subscription in stream.subscriptions.values()] == [
        None
    ] * 4
    if how == "attach":
        adopted(stream, 6, "c2")
    else:
        stream.feed([late(7)])

    led = {name: subscription.continue_in for name, subscription in stream.subscriptions.items()}
    assert led == {"b": "c2", "a": None, "x": None, "boss": None}


@pytest.mark.parametrize("again", [reopened(8), assigned("a", 8), queued(8)])
def test_a_conversation_that_goes_on_leads_nowhere_else(again: Event) -> None:
    stream = Stream()
    stream.feed([assigned("a", 3), closed(6), late(7), again, late(7)])
    adopted(stream, 7, "c2")  # asked before it went on
    assert stream.subscriptions["b"].continue_in is None


def test_of_two_snapshots_of_one_version_the_later_says_where_to_go_on() -> None:
    stream = Stream()
    stream.feed([closed(6), late(7)])
    adopted(stream, 6, None)
    assert stream.subscriptions["b"].continue_in == "c2"
    adopted(stream, 7, None)  # the other one is closed by now
    assert stream.subscriptions["b"].continue_in is None


def test_a_late_message_is_told_to_the_agent_of_the_other_conversation() -> None:
    stream = Stream()
    stream.feed([closed(6), late(7), late(8, agent=None)])

    first, second = stream.told[-2:]
    assert (first.people, second.people) == ({"x", "b", None}, {"b", None})
    assert first.staff.startswith(b'"version":7,"conversation_id":"c1",')
    shown = [frame["type"] for frame in stream.screens["boss"].frames]
    assert shown.count("conversation.late_message.v1") == 2


def test_a_contact_raises_the_version_and_changes_no_owner() -> None:
    stream = Stream()
    stream.feed([assigned("a", 3), contacted(4)])
    assert stream.screens["a"].frames[-1]["type"] == "conversation.contacted.v1"

    stream.feed([assigned("x", 4)])
    assert (stream.conversation.version, stream.conversation.owner_id) == (4, "a")
