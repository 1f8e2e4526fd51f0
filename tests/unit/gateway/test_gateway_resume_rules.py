"""Wherever archive, ring and client stand, a client sees each message once, in order, no hole."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from contracts.people import PersonId, Role, ShopId
from kit.bus.memory import MemoryBus
from kit.bus.ports import TopicPartition
from kit.clock import SystemClock
from kit.metrics import Metrics
from services.gateway.channels import ChatChannel
from services.gateway.frames import server
from services.gateway.history import Attached, GapReader, Mark, Ring, Stored
from services.gateway.history.client import Archived, Asker
from services.gateway.hub import Hub, Person, QueueLimits, SocketSession, subscription_to
from services.gateway.hub.conversations import SubscriptionState
from services.gateway.limits import JOINS, JOINS_EACH, FairTurns, Rate
from services.gateway.resume import Resume
from services.gateway.streams import Joins, Streams
from services.gateway.streams.kinds.conversation import ConversationStream
from tests.unit.gateway.nobody import NoLanes, nowhere
from tests.unit.gateway.port import item_of, message_of

pytestmark = pytest.mark.unit

TALK, OTHER = "talk", "other"


@dataclass
class Screen:
    """A wire and what a client shows of it: ids once, in the order of arrival."""

    frames: list[dict[str, Any]] = field(default_factory=list)

    def write(self, frame: bytes) -> None:
        self.frames.append(msgspec.json.decode(server.payload_of(frame)))

    def close(self, code: int, reason: str) -> None:
        self.frames.append({"t": "close", "code": code})

    def abort(self) -> None:
        """Nothing to cut."""

    def offsets(self) -> list[int]:
        """Return the offsets of everything shown."""
        shown: list[dict[str, Any]] = []
        for frame in self.frames:
            if frame["t"] == "snap":
                shown += frame["d"]["items"]
            elif frame["t"] == "ev":
                shown.append(frame)
        return [item["position"][1] for item in shown]


@dataclass
class Desk:
    """A gateway's inside with one conversation among others, fed by hand."""

    bus: MemoryBus
    log: list[str]
    mark: int
    read: int
    ring_octets: int

    def __post_init__(self) -> None:
        clock, metrics = SystemClock(), Metrics()
        self.asked: list[str] = []
        self.hub = Hub(clock)
        self.ring = Ring(octets=self.ring_octets)
        self.ring.begin(0, 0)
        turns = FairTurns(everybody=JOINS, each=JOINS_EACH, wait_s=60)
        resume = Resume(
            self.ring,
            history=self,
            gaps=GapReader(self.bus, "chat", clock=clock),
            end_of=self.end_of,
            turns=turns,
            clock=clock,
            metrics=metrics,
        )
        joins = Joins(self.hub, clock=clock, metrics=metrics)
        conversations = ConversationStream(
            self.hub, joins, resume, lanes=NoLanes(), tell=lambda _: None, heads=nowhere()
        )
        self.streams = Streams(joins, [conversations])
        self.chat = ChatChannel(
            self.bus, conversations, ring=self.ring, clock=clock, metrics=metrics, ring_s=60
        )
        self.feed(self.read)

    def feed(self, end: int) -> None:
        """Let the gateway's reader go on to an offset."""
        waiting = self.bus.log(TopicPartition("chat", 0))[self.ring.end(0) : end]
        if waiting:
            self.chat.handle(waiting)

    def socket(self, screen: Screen, subject: str = "b") -> SocketSession:
        """Let somebody in."""
        socket = SocketSession(
            screen,
            Person(PersonId(subject), Role.BUYER, ShopId("s"), "", 0, 10**12),
            socket_id=subject,
            bucket=Rate(1, 1).bucket(SystemClock()),
            limits=QueueLimits(),
            drained=self.streams.refill,
            now=0,
        )
        self.hub.enter(socket)
        return socket

    async def end_of(self, partition: int) -> int:
        """Return the broker's end."""
        return len(self.log)

    async def attach(
        self, conversation: str, principal: Asker, *, limit: int, after: tuple[int, int] | None
    ) -> Attached:
        """Answer what lies below the mark; meanwhile the reader goes on."""
        facts = b'{"shop_id":"s","buyer_id":"b","agent_id":"a","version":1,"assignment_version":1}'
        start = -1 if after is None else after[1]
        below = self.bus.log(TopicPartition("chat", 0))[: self.mark]
        items = [msgspec.Raw(item_of(r)) for r in below if r.key == b"talk" and r.offset > start]
        await asyncio.sleep(0)
        self.feed(self.read + 2)
        return Attached(msgspec.Raw(facts), Mark(0, self.mark, 1), items)

    async def inbox(self, principal: Asker) -> bytes:
        """Nothing."""
        return b"{}"

    async def heads(self, conversations: Sequence[str]) -> list[Archived]:
        """Nobody's inbox is open here."""
        return []

    async def message(self, message_id: str) -> Stored | None:
        """Nothing."""
        return None

    async def board(self, shop: str) -> bytes:
        """Nothing."""
        return b"null"

    async def tiles(self, shop: str) -> bytes | None:
        """Nothing."""
        return None


@given(
    log=st.lists(st.sampled_from([TALK, TALK, OTHER]), min_size=1, max_size=25),
    data=st.data(),
)
def test_no_hole_and_no_repeat_wherever_everybody_stands(
    log: list[str], data: st.DataObject
) -> None:
    mark = data.draw(st.integers(0, len(log)), label="archived below")
    read = data.draw(st.integers(0, len(log)), label="read below")
    position = data.draw(st.none() | st.integers(0, len(log) - 1), label="client at")
    octets = data.draw(st.sampled_from([1_000, 3_000, 100_000]), label="ring")
    asyncio.run(joined(log, mark, read=read, position=position, octets=octets))


async def joined(
    log: list[str], mark: int, *, read: int, position: int | None, octets: int
) -> None:
    """Join at a position, let the log go on, and compare the screen with the log."""
    bus = MemoryBus(partitions=1)
    producer = bus.producer()
    await producer.send_all([message_of(n, key) for n, key in enumerate(log)])
    desk = Desk(bus, log, mark, read, octets)
    screen = Screen()
    socket = desk.socket(screen)
    place = None if position is None else [1, position]
    desk.streams.subscribe(socket, f"conv:{TALK}", frame_id="f", position=place)
    for _ in range(200):
        await asyncio.sleep(0.001)
        desk.feed(desk.ring.end(0) + 1)
        subscription = subscription_to(socket, "conv:talk")
        if subscription is not None and subscription.state is SubscriptionState.LIVE:
            break
    await producer.send_all([message_of(len(log) + n, TALK) for n in range(3)])
    desk.feed(len(log) + 3)

    above = -1 if position is None else position
    wanted = [n for n, key in enumerate([*log, TALK, TALK, TALK]) if key == TALK and n > above]
    assert screen.offsets() == wanted
    await desk.streams.stop()


class SlowDesk(Desk):
    """A desk whose archive answers nobody, and notes who asked."""

    @override
    async def attach(
        self, conversation: str, principal: Asker, *, limit: int, after: tuple[int, int] | None
    ) -> Attached:
        self.asked.append(principal.subject)
        await asyncio.Event().wait()
        raise AssertionError


async def test_joining_and_leaving_in_a_storm_keeps_nobody_else_from_joining() -> None:
    desk = SlowDesk(MemoryBus(partitions=1), [], 0, 0, 1_000)
    stormy, calm = desk.socket(Screen(), "stormy"), desk.socket(Screen(), "calm")
    for number in range(2 * JOINS):
        name = f"conv:c{number}"
        desk.streams.subscribe(stormy, name, frame_id="f", position=None)
        if number % 2:
            desk.streams.unsubscribe(stormy, name, frame_id="g")
    desk.streams.subscribe(calm, f"conv:{TALK}", frame_id="f", position=None)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert desk.asked.count("stormy") <= JOINS_EACH
    assert desk.asked[-1] == "calm"
    await desk.streams.stop()
