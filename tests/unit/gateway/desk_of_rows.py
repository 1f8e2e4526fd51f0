"""An agent's inbox on a gateway whose archive is behind the log, and what his screen shows."""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from contracts.clock import Clock, Word, step
from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationContacted,
    ConversationOpened,
    ConversationQueued,
    ConversationRated,
    ConversationReopened,
    ConversationStageChanged,
    ConversationTransferred,
    LateMessage,
    Lifecycle,
    read_lifecycle,
)
from contracts.gateway import SignalSent
from contracts.people import ConversationId, MessageId, PersonId, Role, SenderKind, Stage
from contracts.topics import SIGNALS
from kit.bus.memory import MemoryBus
from kit.bus.ports import Message, Record, message_of
from kit.clock import ManualClock
from kit.errors import Unavailable
from kit.metrics import Metrics
from services.gateway.channels import ChatChannel
from services.gateway.frames import notes, records
from services.gateway.history import Ring
from services.gateway.history.client import Archived
from services.gateway.hub import Hub, Person, QueueLimits, SocketSession
from services.gateway.limits import FairTurns, Rate
from services.gateway.streams import Joins
from services.gateway.streams.heads import AGAIN_S, GATHER_S, PUSH_S, Heads
from services.gateway.streams.kinds.conversation import ConversationStream
from services.gateway.streams.kinds.inbox import InboxStream
from tests.unit.gateway.nobody import NoLanes
from tests.unit.gateway.talk import AT, GROUP, SHOP, Screen

ME: Final = PersonId("me")
TALKS: Final = ("c1", "c2")
SHOWN: Final = ("head", "round", "unread", "read_up_to")
OWNERS: Final = ("agent_id", "to_agent_id")

TO: Final = PersonId("to")
"""Stands for whoever gets the conversation."""

_QUEUE: Final[dict[str, Any]] = {"skill_group_id": GROUP, "reason": "r"}
_MESSAGE: Final[dict[str, Any]] = {"message_id": MessageId("m")}

EVENTS: Final[dict[str, tuple[type[Lifecycle], dict[str, Any]]]] = {
    "opened": (ConversationOpened, {"skill_group_id": GROUP}),
    "assigned": (ConversationAssigned, {"agent_id": TO, **_QUEUE}),
    "queued": (ConversationQueued, _QUEUE),
    "transferred": (
        ConversationTransferred,
        {"from_agent_id": ME, "to_agent_id": TO, "to_skill_group_id": GROUP, "note": "", "by": ME},
    ),
    "closed": (ConversationClosed, {"agent_id": None, "by": ME}),
    "idle": (ConversationClosed, {"agent_id": None, "by": ME, "sweep": "idle"}),
    "reopened": (ConversationReopened, {"by": "b", "reason": "buyer_message"}),
    "contacted": (ConversationContacted, {**_MESSAGE, "written_in": "c0", "received_at": AT}),
    "late_message": (LateMessage, {**_MESSAGE, "continue_in": "c0", "agent_id": None}),
    "staged": (
        ConversationStageChanged,
        {"stage": Stage.SHIP, "previous": Stage.WELCOME, "agent_id": ME},
    ),
    "rated": (ConversationRated, {"agent_id": ME, "score": 5}),
}
"""Every event that a conversation's log may hold, and what it says beside its head."""


class Book:
    """The conversation service: its rows are ahead of the log, its archive is behind it."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        self.mark = 0
        self.away = False
        self.owners: dict[str, str | None] = dict.fromkeys(TALKS)
        self.versions = dict.fromkeys(TALKS, 0)
        self.read: dict[str, tuple[int, int]] = {}

    async def inbox(self, principal: object) -> bytes:
        """Answer what one has in hand."""
        del principal
        rows = [self.row(talk) for talk in TALKS if self.owners[talk] == ME]
        shown = [{"id": row["id"], "version": row["version"]} for row in rows]
        return msgspec.json.encode({"conversations": shown, "work": [], "rows": rows})

    async def heads(self, conversations: Sequence[str]) -> list[Archived]:
        """Answer where conversations stand."""
        if self.away:
            raise Unavailable
        rows = [self.row(talk) for talk in conversations if self.owners[talk] is not None]
        return msgspec.convert(rows, list[Archived])

    def row(self, talk: str) -> dict[str, Any]:
        """Fold a conversation's log up to the mark."""
        clock, unseen, head = Clock(), list[tuple[int, int]](), None
        for record in self.log[: self.mark]:
            if record.key != talk.encode():
                continue
            entry, place = records.entry_of(record), (1, record.offset)
            assert entry is not None
            if entry.is_lifecycle:
                clock = step(clock, read_lifecycle(entry), place)
                continue
            if notes.is_note(entry):
                noted = notes.noted(entry)
                unseen += [] if noted.author_id == self.owners[talk] else [place]
                head = {"position": place, "by": SenderKind.AGENT, "kind": "note"}
                head |= {"preview": noted.text, "at": entry.time.decode()}
                continue
            said, body = records.spoken(entry), msgspec.json.decode(entry.value)
            by = SenderKind(said.sender_kind)
            at = AT + timedelta(seconds=record.offset)
            clock = step(clock, Word(by, at, said.assignment_version), place)
            unseen = [] if by is SenderKind.AGENT else unseen
            unseen += [place] if by is SenderKind.BUYER else []
            head = {"position": place, "by": by, "kind": "text", "preview": body["d"]["text"]}
            head["at"] = entry.time.decode()
        read = self.read.get(talk)
        return {
            "id": talk,
            "owner": self.owners[talk],
            "version": self.versions[talk],
            "head": head,
            "waiting_since": clock.waiting_since,
            "position": clock.position,
            "first": clock.first,
            "seat": clock.seat,
            "read_up_to": read,
            "unseen": [one for one in unseen if read is None or one > read],
            "partition": 0,
            "mark": (1, self.mark),
        }


class Desk:
    """One agent, two conversations. What his screen shows is folded from frames alone."""

    def __init__(self, *, ring: Ring | None = None) -> None:
        self.time, self.book = ManualClock(), Book()
        self.hub, self.ring, metrics = Hub(self.time), ring or Ring(seconds=10**9), Metrics()
        self.ring.begin(0, 0)
        self.joins = Joins(self.hub, clock=self.time, metrics=metrics)
        history: Any = self.book
        self.heads = Heads(history, self.ring, spawn=self.joins.spawn, clock=self.time)
        self.inboxes = InboxStream(
            self.hub, self.joins, self.heads, history=history, turns=FairTurns()
        )
        nobody: Any = None
        self.streams = ConversationStream(
            self.hub,
            self.joins,
            nobody,
            lanes=NoLanes(),
            tell=self.inboxes.deliver,
            heads=self.heads,
        )
        bus, ring_s = MemoryBus(partitions=1), 60
        self.chat = ChatChannel(
            bus, self.streams, ring=self.ring, clock=self.time, metrics=metrics, ring_s=ring_s
        )
        self.screen = Screen()
        self.socket = SocketSession(
            self.screen,
            Person(ME, Role.AGENT, SHOP, "", 0, 10**12),
            socket_id="socket",
            bucket=Rate(1, 1).bucket(self.time),
            limits=QueueLimits(),
            drained=lambda _: None,
            now=0,
        )
        self.hub.enter(self.socket)
        self._numbers = itertools.count()

    # ---- what happens

    def say(self, talk: str, by: str, seat: int | None = None) -> None:
        """Somebody speaks."""
        number = len(self.book.log)
        body = records.ChatBody(
            SHOP,
            talk,
            "me" if by == "agent" else by,
            by,  # type: ignore[arg-type] # as the caller says
            f"client-{number}",
            "text",
            msgspec.Raw(b'{"text":"w%d"}' % number),
            "h",
            seat,
        )
        time = (AT + timedelta(seconds=number)).isoformat(timespec="milliseconds")
        self._come(records.message(body, f"message-{number}", time=time.replace("+00:00", "Z")))

    def note(self, talk: str, by: str) -> None:
        """Somebody of staff notes something."""
        number = len(self.book.log)
        body = notes.NoteBody(SHOP, talk, by, "", f"client-{number}", f"n{number}", None, "h")
        time = (AT + timedelta(seconds=number)).isoformat(timespec="milliseconds")
        self._come(notes.note(body, f"message-{number}", time=time.replace("+00:00", "Z")))

    def tell(self, talk: str, what: str, to: str = ME) -> None:
        """Something happens to the conversation: in the rows first, then in the log."""
        self.book.versions[talk] += 1
        event = self._event(talk, what, to)
        if what in {"assigned", "transferred"}:
            self.book.owners[talk] = to
        elif what in {"queued", "closed", "idle"}:
            self.book.owners[talk] = None
        self._come(message_of(event))

    def read(self, talk: str, offset: int) -> None:
        """Read a conversation on another device."""
        place = (1, offset)
        self.book.read[talk] = max(place, self.book.read.get(talk, place))
        event = SignalSent(
            id=f"signal-{next(self._numbers)}",
            time=self.time.now(),
            shop_id=SHOP,
            conversation_id=ConversationId(talk),
            person_id=ME,
            signal="read",
            position=place,
        )
        sent = message_of(event)
        record = Record(SIGNALS.name, 0, 0, 0, sent.key, sent.value, sent.headers)
        self.streams.hears()[SIGNALS](record)

    async def open(self) -> None:
        """Subscribe, again if that was done."""
        name = self.inboxes.names()
        frame_id = f"sub-{next(self._numbers)}"
        self.inboxes.subscribe(self.socket, name, frame_id=frame_id, position=None)
        await self.time.walk(0)
        await self.time.walk(2 * GATHER_S)

    async def pass_time(self, seconds: float = PUSH_S) -> None:
        """Let so much time pass, and then what changed be pushed."""
        await self.time.walk(seconds)
        await self.inboxes.push()
        await self.time.walk(2 * GATHER_S)

    async def rest(self) -> None:
        """Let the conversation service be there, and everything come to rest."""
        self.book.away, self.book.mark = False, len(self.book.log)
        await self.pass_time()
        await self.pass_time(AGAIN_S)
        await self.pass_time(AGAIN_S)
        await self.pass_time()

    def _come(self, message: Message) -> None:
        offset = len(self.book.log)
        at = self.time.now_ms()
        record = Record("chat", 0, offset, at, message.key, message.value, message.headers)
        self.book.log.append(record)
        self.chat.handle([record])

    def _event(self, talk: str, what: str, to: str) -> Lifecycle:
        head: dict[str, Any] = {
            "id": f"event-{len(self.book.log)}",
            "time": AT,
            "shop_id": SHOP,
            "conversation_id": ConversationId(talk),
            "buyer_id": PersonId("b"),
            "version": self.book.versions[talk],
        }
        kind, own = EVENTS[what]
        return kind(**head, **{name: to if value is TO else value for name, value in own.items()})

    # ---- what the screen shows

    def shown(self) -> dict[str, dict[str, Any]]:
        """Fold the frames of the inbox by the rules of the protocol, and no more."""
        rows: dict[str, dict[str, Any]] = {}
        versions: dict[str, int] = {}
        for frame in self.screen.frames:
            if frame["t"] == "snap":
                rows = {row["id"]: _parts(row) for row in frame["d"]["conversations"]}
                versions |= {row["id"]: row["version"] for row in frame["d"]["conversations"]}
            elif frame["t"] == "ev" and frame["version"] > versions.get(
                frame["conversation_id"], 0
            ):
                talk = frame["conversation_id"]
                versions[talk] = frame["version"]
                _own(rows, talk, frame)
            elif frame["t"] == "patch" and frame["k"] in rows:
                rows[frame["k"]] = _parts(frame["d"])
        return rows

    async def fresh(self) -> dict[str, dict[str, Any]]:
        """Return what somebody sees who comes only now, from the archive alone."""
        found = [self.book.row(talk) for talk in TALKS if self.book.owners[talk] == ME]
        shown = {}
        for row in found:
            since = row["waiting_since"]
            waits = {"opened_at": since, "position": row["position"], "first": row["first"]}
            row |= {"round": None if since is None else waits, "unread": len(row["unseen"])}
            shown[row["id"]] = _parts(msgspec.to_builtins(row))
        return shown


def _own(rows: dict[str, dict[str, Any]], talk: str, frame: dict[str, Any]) -> None:
    """Take over what an event says of whose a conversation is."""
    if frame["type"] in {"conversation.assigned.v1", "conversation.transferred.v1"}:
        if ME in {frame["d"].get(name) for name in OWNERS}:
            rows.setdefault(talk, {})
        else:
            rows.pop(talk, None)
    elif frame["type"] in {"conversation.queued.v1", "conversation.closed.v1"}:
        rows.pop(talk, None)


def _parts(row: dict[str, Any]) -> dict[str, Any]:
    """Return what is compared, moments in one form."""
    shown = {name: row.get(name) for name in SHOWN}
    waits = shown["round"]
    if waits is not None:
        opened = waits["opened_at"].replace("+00:00", "Z").replace(".000Z", "Z")
        shown["round"] = {**waits, "opened_at": opened}
    return msgspec.json.decode(msgspec.json.encode(shown))  # type: ignore[no-any-return]
