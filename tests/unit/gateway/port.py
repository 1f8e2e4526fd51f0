"""The gateway's streams without sockets or services: a port that answers when the test says so."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from contracts.conversation import ConversationQueued
from contracts.people import ConversationId, PersonId, Role, ShopId, SkillGroupId
from kit.bus.memory import MemoryBus
from kit.bus.ports import Message, Record, TopicPartition
from kit.clock import SystemClock
from kit.metrics import Metrics
from services.gateway.channels import ChatChannel
from services.gateway.frames import records, server
from services.gateway.history import Attached, GapReader, Mark, Ring, Stored
from services.gateway.history.client import Archived, Asker
from services.gateway.hub import Hub, Person, QueueLimits, SocketSession
from services.gateway.limits import FairTurns, Rate
from services.gateway.resume import Resume
from services.gateway.streams import Joins, Streams, news_of
from services.gateway.streams.heads import Heads
from services.gateway.streams.kinds.board import BoardStream, NewBoard
from services.gateway.streams.kinds.conversation import ConversationStream
from services.gateway.streams.kinds.current import CurrentStream
from services.gateway.streams.kinds.inbox import InboxStream
from services.gateway.streams.kinds.tiles import TilesStream
from tests.unit.gateway.nobody import NoLanes
from tests.unit.gateway.test_gateway_state import AT

SHOP: Final = ShopId("s")
TALK, INBOX, BOARD = "conv:talk", "inbox", "monitor:s"
FACTS: Final = b'{"shop_id":"s","buyer_id":"b","agent_id":"p","version":1,"assignment_version":1}'
TURNS: Final = 3
"""Few, so that joins wait for one another."""


class Unforeseen(Exception):
    """What no code expects."""


@dataclass
class Ask:
    """A question of a join that waits for its answer; `early` is what held when it was asked."""

    answers: Callable[[], Any]
    early: Any
    future: asyncio.Future[Any] = field(default_factory=asyncio.Future)

    def answer(self, *, early: bool = False) -> None:
        """Say what holds at this moment, or what held at first: the answer was on its way."""
        if not self.future.done():
            self.future.set_result(self.early if early else self.answers())

    def fail(self, error: Exception) -> None:
        """Say that nothing can be said."""
        if not self.future.done():
            self.future.set_exception(error)


@dataclass
class Screen:
    """A wire that remembers what came."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False

    def write(self, frame: bytes) -> None:
        self.frames.append(msgspec.json.decode(server.payload_of(frame)))

    def close(self, code: int, reason: str) -> None:
        self.closed = True

    def abort(self) -> None:
        """Nothing to cut."""

    def answers(self) -> dict[str, list[str]]:
        """Return each id's answers: `ok`, or a problem's code."""
        found: dict[str, list[str]] = {}
        for frame in self.frames:
            if frame["t"] in {"ok", "err"}:
                code = "ok" if frame["t"] == "ok" else frame["problem"]["code"]
                found.setdefault(frame["id"], []).append(code)
        return found

    def of(self, t: str, s: str) -> list[dict[str, Any]]:
        """Return a stream's frames of one type."""
        return [frame for frame in self.frames if frame["t"] == t and frame.get("s") == s]


@dataclass
class Member:
    """One socket, and what it has said: kind, stream and id, in order."""

    socket: SocketSession
    screen: Screen
    said: list[tuple[str, str, str]] = field(default_factory=list)
    gone: bool = False

    def live(self, s: str) -> bool:
        """Tell whether the answers say that the stream is live."""
        answers = self.screen.answers()
        live = False
        for t, stream, frame_id in self.said:
            if stream == s and t == "unsub":
                live = False
            elif stream == s and answers.get(frame_id) == ["ok"]:
                live = True
        return live


class World:
    """The gateway's streams on a log, with a port whose answers the test gives."""

    def __init__(self, *, wait_s: float = 60) -> None:
        clock, metrics = SystemClock(), Metrics()
        self.bus = MemoryBus(partitions=1)
        self.producer = self.bus.producer()
        self.hub = Hub(clock)
        self.ring = Ring()
        self.ring.begin(0, 0)
        self.asks: list[Ask] = []
        self.asked = 0
        self.mark = 0
        self.said: list[int] = []
        self.told: list[str] = []
        self.boards = 0
        self.archived_board = 0
        self.archived_tiles: bytes | None = None
        self.turns = FairTurns(everybody=TURNS, each=2, wait_s=wait_s)
        self.joins = Joins(self.hub, clock=clock, metrics=metrics)
        self.resume = Resume(
            self.ring,
            history=self,
            gaps=GapReader(self.bus, "chat", clock=clock),
            end_of=self.end_of,
            turns=self.turns,
            clock=clock,
            metrics=metrics,
        )
        self.rows = Heads(self, self.ring, spawn=self.joins.spawn, clock=clock)
        self.inboxes = InboxStream(self.hub, self.joins, self.rows, history=self, turns=self.turns)
        self.watchers = BoardStream(self.hub, self.joins, history=self, turns=self.turns)
        self.conversations = ConversationStream(
            self.hub,
            self.joins,
            self.resume,
            lanes=NoLanes(),
            tell=self.inboxes.deliver,
            heads=self.rows,
        )
        self.current = CurrentStream(self.hub, self.joins)
        self.tiles_stream = TilesStream(self.hub, self.joins, history=self, turns=self.turns)
        self.streams = Streams(
            self.joins,
            [self.inboxes, self.watchers, self.tiles_stream, self.current, self.conversations],
        )
        self.chat = ChatChannel(
            self.bus, self.conversations, ring=self.ring, clock=clock, metrics=metrics, ring_s=60
        )
        self.members: list[Member] = []
        self.numbers = itertools.count()

    # ---- the port

    async def _ask(self, answers: Callable[[], Any]) -> Any:
        self.asked += 1
        ask = Ask(answers, answers())
        self.asks.append(ask)
        return await ask.future

    async def attach(
        self, conversation: str, principal: Asker, *, limit: int, after: tuple[int, int] | None
    ) -> Attached:
        """Answer what lies below the mark."""

        def attached() -> Attached:
            start = -1 if after is None else after[1]
            below = self.bus.log(TopicPartition("chat", 0))[: self.mark]
            items = [msgspec.Raw(item_of(r)) for r in below if r.offset > start]
            return Attached(msgspec.Raw(FACTS), Mark(0, self.mark, 1), items)

        found: Attached = await self._ask(attached)
        return found

    async def inbox(self, principal: Asker) -> bytes:
        """Answer everything that was told so far."""
        found: bytes = await self._ask(lambda: msgspec.json.encode({"told": self.told}))
        return found

    async def heads(self, conversations: Sequence[str]) -> list[Archived]:
        """Nobody has a conversation of his own here."""
        return []

    async def board(self, shop: str) -> bytes:
        """Answer the board that the monitor keeps."""
        found: bytes = await self._ask(lambda: b"%d" % self.archived_board)
        return found

    async def tiles(self, shop: str) -> bytes | None:
        """Answer totals and tiles as the monitor keeps them."""
        found: bytes | None = await self._ask(lambda: self.archived_tiles)
        return found

    async def message(self, message_id: str) -> Stored | None:
        """Nothing is looked up here."""
        return None

    async def end_of(self, partition: int) -> int:
        """Return the broker's end."""
        return len(self.bus.log(TopicPartition("chat", 0)))

    # ---- what happens

    def enter(self, subject: str = "p") -> Member:
        """Let somebody in."""
        screen = Screen()
        socket = SocketSession(
            screen,
            Person(PersonId(subject), Role.SUPERVISOR, SHOP, "", 0, 10**12),
            socket_id=f"{next(self.numbers)}",
            bucket=Rate(1, 1).bucket(SystemClock()),
            limits=QueueLimits(),
            drained=self.streams.refill,
            now=0,
        )
        self.hub.enter(socket)
        member = Member(socket, screen)
        self.members.append(member)
        return member

    def sub(self, member: Member, s: str, *, position: object = None) -> str:
        """Subscribe; return the id."""
        frame_id = f"sub-{next(self.numbers)}"
        member.said.append(("sub", s, frame_id))
        self.streams.subscribe(member.socket, s, frame_id=frame_id, position=position)
        return frame_id

    def unsub(self, member: Member, s: str) -> str:
        """Unsubscribe; return the id."""
        frame_id = f"unsub-{next(self.numbers)}"
        member.said.append(("unsub", s, frame_id))
        self.streams.unsubscribe(member.socket, s, frame_id=frame_id)
        return frame_id

    def leave(self, member: Member) -> None:
        """Hang up."""
        member.gone = True
        member.socket.closing_since = member.socket.closing_since or 1
        self.hub.leave(member.socket)

    async def happen(self, s: str) -> None:
        """Let one event come on a stream."""
        number = next(self.numbers)
        if s == TALK:
            offset = len(self.bus.log(TopicPartition("chat", 0)))
            await self.producer.send_all([message_of(number, "talk")])
            self.said.append(offset)
            self.chat.handle(self.bus.log(TopicPartition("chat", 0))[self.ring.end(0) :])
        elif s == INBOX:
            self.told.append(f"w{number}")  # in the neighbour's books before it is told
            people = {member.socket.person.subject for member in self.members}
            news = news_of(people, event=queued(self.told[-1]), version=number)
            self.inboxes.deliver(news)
        else:
            self.boards += 1
            self.archived_board = self.boards
            self.watchers.deliver(NewBoard(SHOP, b"%d" % self.boards))

    async def settle(self) -> None:
        """Answer everything, and let everybody come to rest."""
        for _ in range(10_000):
            for ask in self.asks:
                ask.answer()
            self.asks.clear()
            await asyncio.sleep(0)
            if not self.joins and not self.asks:
                return
        raise AssertionError("joins without an end")


def queued(name: str) -> ConversationQueued:
    """Return an event for somebody's inbox."""
    return ConversationQueued(
        id=name,
        time=AT,
        shop_id=SHOP,
        conversation_id=ConversationId("c"),
        buyer_id=PersonId("b"),
        version=1,
        skill_group_id=SkillGroupId("g"),
        reason="r",
    )


async def a_few(turns: int = 8) -> None:
    """Let the loop go round."""
    for _ in range(turns):
        await asyncio.sleep(0)


def item_of(record: Record) -> bytes:
    """Return a record as the archive shows it."""
    entry = records.entry_of(record)
    assert entry is not None
    return server.item("conv:talk", records.body(entry), position=(1, entry.offset))


def message_of(number: int, key: str) -> Message:
    """Return a chat message."""
    body = records.ChatBody(
        "s", key, "b", "buyer", f"client-{number}", "text", msgspec.Raw(b'{"text":"x"}'), "h"
    )
    return records.message(body, f"message-{number}", time="2026-11-11T00:00:00.000Z")


def nothing_is_left(world: World) -> None:
    """Nobody is here: no subscription, no join, no turn."""
    watched = (world.conversations.watched, world.hub.people, world.watchers.watchers)
    assert watched == ({}, {}, {})
    assert (world.tiles_stream.watchers, world.tiles_stream.shown) == ({}, {})
    assert (len(world.turns), len(world.joins)) == (0, 0)
    assert all(member.socket.subscriptions == {} for member in world.members)
