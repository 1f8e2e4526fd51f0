"""Stores what a batch of folded records changed, in one fenced transaction (H19).

Knows tables and offsets; must not know what a record means or how a round is judged.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.monitor import Alert
from contracts.people import ConversationId, ShopId
from contracts.topics import CHAT
from kit import outbox, positions
from services.monitor.domain import ProfileName, ReadingKey, Round, Score, Session
from services.monitor.repository import statements as sql
from services.monitor.rollups import CounterKey
from services.monitor.rounds import Conversation, decode_state, encode_state

CONSUMER: Final = "monitor.fold"


class Judged(NamedTuple):
    """What a round or session counts under each profile that did not leave it out."""

    day: date
    scores: Mapping[ProfileName, Score]


class TrafficKey(NamedTuple):
    """What one row of traffic is about."""

    shop_id: ShopId
    day: date


@dataclass(slots=True)
class Traffic:
    """Messages and flags of one shop and day; `as_of_ms` is the newest event's time."""

    buyer_messages: int = 0
    agent_messages: int = 0
    other_messages: int = 0
    flags_agent: int = 0
    flags_buyer: int = 0
    as_of_ms: int = 0


@dataclass(frozen=True, slots=True)
class FlaggedMessage:
    """A flagged message; `hits` is JSON."""

    message_id: str
    partition: int
    offset: int
    shop_id: ShopId
    conversation_id: ConversationId
    sender_id: str
    speaker: str
    at_ms: int
    categories: tuple[str, ...]
    hits: str
    lexicon_version: str
    policy_version: str


@dataclass(slots=True)
class Changes:
    """What one partition's part of a batch changed. `expected` is the offset it was loaded at."""

    partition: int
    expected: int
    next_offset: int
    watermark_ms: int
    conversations: dict[ConversationId, Conversation] = field(default_factory=dict)
    rounds: list[tuple[Round, Judged]] = field(default_factory=list)
    sessions: list[tuple[Session, Judged]] = field(default_factory=list)
    counters: dict[CounterKey, Score] = field(default_factory=dict)
    traffic: dict[TrafficKey, Traffic] = field(default_factory=dict)
    flags: list[FlaggedMessage] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    spans: list["Span"] = field(default_factory=list)


class Wording(NamedTuple):
    """Which rules a message was checked by."""

    lexicon_version: str
    policy_version: str


class Span(NamedTuple):
    """From this offset on a shop's messages are checked by these rules."""

    shop_id: ShopId
    first_offset: int
    wording: Wording


@dataclass(frozen=True, slots=True)
class Stored:
    """A partition as it was left: the state belongs to `next_offset`, from one snapshot."""

    partition: int
    next_offset: int | None
    watermark_ms: int
    conversations: dict[ConversationId, Conversation]
    wording: dict[ShopId, Wording] = field(default_factory=dict)
    """The rules by which each shop's last message was checked."""


class FoldStore:
    """Loads and stores partitions under one generation of the topic (H4).

    `waits_for` is the index of the track whose open round means that the buyer waits.
    """

    def __init__(self, generation: int, *, waits_for: int) -> None:
        self._generation = generation
        self._waits_for = waits_for

    async def load(self, session: AsyncSession, partition: int) -> Stored:
        """Return a partition's state and offset; call it in one `read()` snapshot."""
        offset = await positions.load(session, CONSUMER, topic=CHAT.name, partition=partition)
        mark = (await session.execute(sql.WATERMARK, {"partition": partition})).scalar()
        mine = {"generation": self._generation, "partition": partition}
        rows = await session.execute(sql.STATES, mine)
        states = [decode_state(bytes(state)) for (state,) in rows]
        spans = await session.execute(sql.LAST_SPANS, mine)
        wording = {ShopId(shop): Wording(*versions) for shop, *versions in spans}
        return Stored(
            partition, offset, int(mark or 0), {state.name: state for state in states}, wording
        )

    async def move(
        self, session: AsyncSession, partition: int, *, expected: int | None, new: int
    ) -> None:
        """Move a position without folding: a first beginning, or past records that are gone."""
        await positions.advance(
            session, CONSUMER, topic=CHAT.name, partition=partition, expected=expected, new=new
        )

    async def store(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        """Store a batch of partitions. Raises `Fenced`: roll back and drop the state."""
        moves = {part.partition: (part.expected, part.next_offset) for part in batch}
        await positions.advance_all(session, CONSUMER, topic=CHAT.name, moves=moves)
        await session.execute(
            sql.MARK,
            {
                "partitions": [part.partition for part in batch],
                "watermarks": [part.watermark_ms for part in batch],
            },
        )
        await self._conversations(session, batch)
        await self._rounds(session, batch)
        await self._sessions(session, batch)
        await _counters(session, batch)
        await _traffic(session, batch)
        await self._flags(session, batch)
        await self._spans(session, batch)
        await outbox.add(session, *(alert for part in batch for alert in part.alerts))

    async def caught_up(self, session: AsyncSession, at_ms: Mapping[int, int]) -> None:
        """Store when partitions were last seen folded to the end of the log."""
        await session.execute(
            sql.CAUGHT_UP, {"partitions": list(at_ms), "moments": list(at_ms.values())}
        )

    async def forget(
        self, session: AsyncSession, partition: int, names: Sequence[ConversationId]
    ) -> None:
        """Delete the state of conversations that were closed long ago."""
        await session.execute(sql.FORGET, {"partition": partition, "names": list(names)})

    async def fire(self, session: AsyncSession, firings: Sequence["Firing"]) -> list["Firing"]:
        """Record thresholds that fell due; return those that had not fired before (H21)."""
        columns = _columns(
            (f.partition, f.waiting_offset, f.profile, f.threshold_s, f.shop_id, f.conversation_id,
             f.due_ms, f.late_ms) for f in firings
        )  # fmt: skip
        names = ("partitions", "offsets", "profiles", "thresholds", "shops", "conversations",
                 "dues", "lates")  # fmt: skip
        rows = await session.execute(
            sql.FIRE, dict(zip(names, columns, strict=True)) | {"generation": self._generation}
        )
        new = {tuple(row) for row in rows}
        return [
            f for f in firings if (f.partition, f.waiting_offset, f.profile, f.threshold_s) in new
        ]

    async def _conversations(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = [
            (
                name, part.partition, state.shop_id, state.open, state.owner,
                _waiting(state, self._waits_for),
                min((t.round_ms for t in state.tracks if t.round_ms is not None), default=None),
                state.forget_after_ms, encode_state(state),
            )
            for part in batch
            for name, state in part.conversations.items()
        ]  # fmt: skip
        names = ("names", "partitions", "shops", "opens", "owners", "waits", "oldest", "forgets",
                 "states")  # fmt: skip
        await _many(session, sql.CONVERSATIONS, names, rows, generation=self._generation)

    async def _rounds(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = [
            (
                part.partition, reading_name(r.readings), r.opened_offset, r.shop_id,
                r.conversation_id, r.buyer_id, r.agent_id, judged.day, r.opened_ms, r.closed_ms,
                r.waiting_since_ms, r.outcome, r.born_offset, round_json(judged.scores),
            )
            for part in batch
            for r, judged in part.rounds
        ]  # fmt: skip
        names = ("partitions", "readings", "offsets", "shops", "conversations", "buyers",
                 "agents", "days", "opened", "closed", "waits", "outcomes", "born",
                 "judged")  # fmt: skip
        await _many(session, sql.ROUNDS, names, rows, generation=self._generation)

    async def _sessions(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = [
            (
                part.partition, reading_name(s.readings), s.started_offset, s.shop_id,
                s.conversation_id, s.buyer_id, s.agent_id, judged.day, s.started_ms, s.to_human_ms,
                s.assigned_ms, s.replied_ms, s.born_offset, session_json(judged.scores),
            )
            for part in batch
            for s, judged in part.sessions
        ]  # fmt: skip
        names = ("partitions", "readings", "offsets", "shops", "conversations", "buyers",
                 "agents", "days", "started", "to_human", "assigned", "replied", "born",
                 "judged")  # fmt: skip
        await _many(session, sql.SESSIONS, names, rows, generation=self._generation)

    async def _flags(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = [
            (
                f.message_id, f.partition, f.offset, f.shop_id, f.conversation_id, f.sender_id,
                f.speaker, f.at_ms, json.dumps(f.categories), f.hits, f.lexicon_version,
                f.policy_version,
            )
            for part in batch
            for f in part.flags
        ]  # fmt: skip
        names = ("messages", "partitions", "offsets", "shops", "conversations", "senders",
                 "speakers", "moments", "categories", "hits", "lexicons", "policies")  # fmt: skip
        await _many(session, sql.FLAGS, names, rows, generation=self._generation)

    async def _spans(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = [
            (part.partition, span.shop_id, span.first_offset, *span.wording)
            for part in batch
            for span in part.spans
        ]
        names = ("partitions", "shops", "offsets", "lexicons", "policies")
        await _many(session, sql.SPANS, names, rows, generation=self._generation)


class Firing(NamedTuple):
    """A threshold that fell due for one profile; the wait is named by the record that began it."""

    partition: int
    waiting_offset: int
    profile: ProfileName
    threshold_s: int
    shop_id: ShopId
    conversation_id: ConversationId
    due_ms: int
    late_ms: int


def reading_name(readings: Sequence[ReadingKey]) -> str:
    """Return the name under which a round of these readings is stored."""
    return "|".join(readings)


def _waiting(state: Conversation, index: int) -> int | None:
    """Return since when the buyer waits, whoever owned the conversation meanwhile."""
    track = state.tracks[index]
    return None if track.round_ms is None else track.waiting_ms


async def _counters(session: AsyncSession, batch: Sequence[Changes]) -> None:
    rows = sorted(
        (
            part.partition, key.shop_id, key.profile, key.day, key.agent_id or "",
            s.rounds, s.round_ms, s.unanswered, s.within, s.slow,
            s.sessions, s.first_responses, s.first_response_ms, s.first_within,
        )
        for part in batch
        for key, s in part.counters.items()
    )  # fmt: skip
    names = ("partitions", "shops", "profiles", "days", "agents", "rounds", "round_ms",
             "unanswered", "within", "slow", "sessions", "first_responses", "first_response_ms",
             "first_within")  # fmt: skip
    await _many(session, sql.COUNTERS, names, rows)


async def _traffic(session: AsyncSession, batch: Sequence[Changes]) -> None:
    rows = sorted(
        (
            part.partition, key.shop_id, key.day, t.buyer_messages, t.agent_messages,
            t.other_messages, t.flags_agent, t.flags_buyer, t.as_of_ms, part.next_offset,
        )
        for part in batch
        for key, t in part.traffic.items()
    )  # fmt: skip
    names = ("partitions", "shops", "days", "buyer_messages", "agent_messages",
             "other_messages", "flags_agent", "flags_buyer", "as_of", "revisions")  # fmt: skip
    await _many(session, sql.TRAFFIC, names, rows)


async def _many(
    session: AsyncSession,
    statement: Any,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    **fixed: Any,
) -> None:
    """Execute a statement over rows given as one array per column."""
    if rows:
        columns = dict(zip(names, _columns(rows), strict=True))
        await session.execute(statement, columns | fixed)


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def round_json(scores: Mapping[ProfileName, Score]) -> str:
    """Return a round's scores as they are stored."""
    parts = (
        f'"{name}":[{s.rounds},{s.round_ms},{s.unanswered},{s.within},{s.slow}]'
        for name, s in scores.items()
    )
    return "{" + ",".join(parts) + "}"


def session_json(scores: Mapping[ProfileName, Score]) -> str:
    """Return a session's scores as they are stored."""
    parts = (
        f'"{n}":[{s.sessions},{s.first_responses},{s.first_response_ms},{s.first_within}]'
        for n, s in scores.items()
    )
    return "{" + ",".join(parts) + "}"
