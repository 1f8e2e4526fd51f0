"""A conversation on a gateway that people watch, fed with whatever its log says."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

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
from services.gateway.streams import News
from services.gateway.streams.kinds.conversation import ConversationStream
from tests.unit.gateway.nobody import NoLanes, nowhere

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

    def __init__(self, *agents: str) -> None:
        """Let a buyer `b`, a supervisor `boss` and these agents watch, or two of them."""
        clock, nobody = ManualClock(), None
        self.hub = Hub(clock)
        self.told: list[News] = []
        self.stream = ConversationStream(
            self.hub,
            nobody,  # type: ignore[arg-type] # nobody joins
            nobody,  # type: ignore[arg-type]
            lanes=NoLanes(),
            tell=self.told.append,
            heads=nowhere(),
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
        roles = {"b": Role.BUYER, **dict.fromkeys(agents or ("a", "x"), Role.AGENT)}
        roles["boss"] = Role.SUPERVISOR
        self.subscriptions = {name: self._subscribe(name, role) for name, role in roles.items()}
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
