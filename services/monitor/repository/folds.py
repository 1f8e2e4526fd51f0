"""Stores what a batch of folded records changed, in one fenced transaction (H19).

Knows tables and offsets; must not know what a record means or how a round is judged.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.monitor import Alert
from contracts.people import ConversationId, ShopId
from contracts.topics import CHAT
from kit import outbox, positions
from services.monitor.domain import ProfileName, Round, Score, Session
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
class FlagRow:
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
    flags: list[FlagRow] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stored:
    """A partition as it was left: the state belongs to `next_offset`, from one snapshot."""

    partition: int
    next_offset: int | None
    watermark_ms: int
    conversations: dict[ConversationId, Conversation]


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
        mark = (await session.execute(_WATERMARK, {"partition": partition})).scalar()
        rows = await session.execute(_STATES, {"partition": partition})
        states = [decode_state(bytes(state)) for (state,) in rows]
        return Stored(partition, offset, int(mark or 0), {state.name: state for state in states})

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
            _MARK,
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
        await outbox.add(session, *(alert for part in batch for alert in part.alerts))

    async def caught_up(self, session: AsyncSession, at_ms: Mapping[int, int]) -> None:
        """Store when partitions were last seen folded to the end of the log."""
        await session.execute(
            _CAUGHT_UP, {"partitions": list(at_ms), "moments": list(at_ms.values())}
        )

    async def forget(
        self, session: AsyncSession, partition: int, names: Sequence[ConversationId]
    ) -> None:
        """Delete the state of conversations that were closed long ago."""
        await session.execute(_FORGET, {"partition": partition, "names": list(names)})

    async def fire(self, session: AsyncSession, firings: Sequence["Firing"]) -> list["Firing"]:
        """Record thresholds that fell due; return those that had not fired before (H21)."""
        columns = _columns(
            (f.partition, f.waiting_offset, f.profile, f.threshold_s, f.shop_id, f.conversation_id,
             f.due_ms, f.late_ms) for f in firings
        )  # fmt: skip
        names = ("partitions", "offsets", "profiles", "thresholds", "shops", "conversations",
                 "dues", "lates")  # fmt: skip
        rows = await session.execute(
            _FIRE, dict(zip(names, columns, strict=True)) | {"generation": self._generation}
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
        await _many(session, _CONVERSATIONS, names, rows)

    async def _rounds(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = [
            (
                part.partition, r.reading, r.opened_offset, r.shop_id, r.conversation_id,
                r.buyer_id, r.agent_id, judged.day, r.opened_ms, r.closed_ms,
                r.waiting_since_ms, r.outcome, r.born_offset, _round_json(judged.scores),
            )
            for part in batch
            for r, judged in part.rounds
        ]  # fmt: skip
        names = ("partitions", "readings", "offsets", "shops", "conversations", "buyers",
                 "agents", "days", "opened", "closed", "waits", "outcomes", "born",
                 "judged")  # fmt: skip
        await _many(session, _ROUNDS, names, rows, generation=self._generation)

    async def _sessions(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = [
            (
                part.partition, s.reading, s.started_offset, s.shop_id, s.conversation_id,
                s.buyer_id, s.agent_id, judged.day, s.started_ms, s.to_human_ms,
                s.assigned_ms, s.replied_ms, s.born_offset, _session_json(judged.scores),
            )
            for part in batch
            for s, judged in part.sessions
        ]  # fmt: skip
        names = ("partitions", "readings", "offsets", "shops", "conversations", "buyers",
                 "agents", "days", "started", "to_human", "assigned", "replied", "born",
                 "judged")  # fmt: skip
        await _many(session, _SESSIONS, names, rows, generation=self._generation)

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
        await _many(session, _FLAGS, names, rows, generation=self._generation)


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
    await _many(session, _COUNTERS, names, rows)


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
    await _many(session, _TRAFFIC, names, rows)


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


def _round_json(scores: Mapping[ProfileName, Score]) -> str:
    parts = (
        f'"{name}":[{s.rounds},{s.round_ms},{s.unanswered},{s.within},{s.slow}]'
        for name, s in scores.items()
    )
    return "{" + ",".join(parts) + "}"


def _session_json(scores: Mapping[ProfileName, Score]) -> str:
    parts = (
        f'"{n}":[{s.sessions},{s.first_responses},{s.first_response_ms},{s.first_within}]'
        for n, s in scores.items()
    )
    return "{" + ",".join(parts) + "}"


_WATERMARK: Final = text("select watermark_ms from partitions where partition = :partition")
_STATES: Final = text("select state from conversations where partition = :partition")
_MARK: Final = text(
    """
    insert into partitions (partition, watermark_ms, caught_up_ms)
    select *, 0 from unnest(cast(:partitions as integer[]), cast(:watermarks as bigint[]))
    on conflict (partition) do update set watermark_ms = excluded.watermark_ms
    """
)
_CAUGHT_UP: Final = text(
    """
    insert into partitions (partition, watermark_ms, caught_up_ms)
    select p, 0, m
    from unnest(cast(:partitions as integer[]), cast(:moments as bigint[])) as u(p, m)
    order by p
    on conflict (partition) do update set caught_up_ms = excluded.caught_up_ms
    """
)
_FORGET: Final = text(
    "delete from conversations where partition = :partition"
    " and conversation_id = any(cast(:names as text[]))"
)
_FIRE: Final = text(
    """
    insert into firings (generation, partition, waiting_offset, profile, threshold_s, shop_id,
        conversation_id, due_ms, late_ms)
    select cast(:generation as smallint), * from unnest(
        cast(:partitions as integer[]), cast(:offsets as bigint[]), cast(:profiles as text[]),
        cast(:thresholds as integer[]), cast(:shops as text[]), cast(:conversations as text[]),
        cast(:dues as bigint[]), cast(:lates as bigint[]))
    on conflict do nothing
    returning partition, waiting_offset, profile, threshold_s
    """
)
_CONVERSATIONS: Final = text(
    """
    insert into conversations (conversation_id, partition, shop_id, open, owner, waiting_ms,
        oldest_round_ms, forget_ms, state)
    select * from unnest(
        cast(:names as text[]), cast(:partitions as integer[]), cast(:shops as text[]),
        cast(:opens as boolean[]), cast(:owners as text[]), cast(:waits as bigint[]),
        cast(:oldest as bigint[]), cast(:forgets as bigint[]), cast(:states as bytea[]))
    on conflict (conversation_id) do update set
        open = excluded.open, owner = excluded.owner, waiting_ms = excluded.waiting_ms,
        oldest_round_ms = excluded.oldest_round_ms, forget_ms = excluded.forget_ms,
        state = excluded.state
    """
)
_ROUNDS: Final = text(
    """
    insert into rounds (generation, partition, reading, opened_offset, shop_id, conversation_id,
        buyer_id, agent_id, day, opened_ms, closed_ms, waiting_since_ms, outcome, born_offset,
        judged)
    select cast(:generation as smallint), * from unnest(
        cast(:partitions as integer[]), cast(:readings as text[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:buyers as text[]),
        cast(:agents as text[]), cast(:days as date[]), cast(:opened as bigint[]),
        cast(:closed as bigint[]), cast(:waits as bigint[]), cast(:outcomes as text[]),
        cast(:born as bigint[]), cast(:judged as jsonb[]))
    """
)
_SESSIONS: Final = text(
    """
    insert into sessions (generation, partition, reading, started_offset, shop_id,
        conversation_id, buyer_id, agent_id, day, started_ms, to_human_ms, assigned_ms,
        replied_ms, born_offset, judged)
    select cast(:generation as smallint), * from unnest(
        cast(:partitions as integer[]), cast(:readings as text[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:buyers as text[]),
        cast(:agents as text[]), cast(:days as date[]), cast(:started as bigint[]),
        cast(:to_human as bigint[]), cast(:assigned as bigint[]), cast(:replied as bigint[]),
        cast(:born as bigint[]), cast(:judged as jsonb[]))
    """
)
_COUNTERS: Final = text(
    """
    insert into counters (partition, shop_id, profile, day, agent_id, rounds, round_ms,
        unanswered, within, slow, sessions, first_responses, first_response_ms, first_within)
    select * from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:profiles as text[]),
        cast(:days as date[]), cast(:agents as text[]), cast(:rounds as bigint[]),
        cast(:round_ms as bigint[]), cast(:unanswered as bigint[]), cast(:within as bigint[]),
        cast(:slow as bigint[]), cast(:sessions as bigint[]),
        cast(:first_responses as bigint[]), cast(:first_response_ms as bigint[]),
        cast(:first_within as bigint[]))
    on conflict (partition, shop_id, profile, day, agent_id) do update set
        rounds = counters.rounds + excluded.rounds,
        round_ms = counters.round_ms + excluded.round_ms,
        unanswered = counters.unanswered + excluded.unanswered,
        within = counters.within + excluded.within,
        slow = counters.slow + excluded.slow,
        sessions = counters.sessions + excluded.sessions,
        first_responses = counters.first_responses + excluded.first_responses,
        first_response_ms = counters.first_response_ms + excluded.first_response_ms,
        first_within = counters.first_within + excluded.first_within
    """
)
_TRAFFIC: Final = text(
    """
    insert into traffic (partition, shop_id, day, buyer_messages, agent_messages, other_messages,
        flags_agent, flags_buyer, as_of_ms, revision)
    select * from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:days as date[]),
        cast(:buyer_messages as bigint[]), cast(:agent_messages as bigint[]),
        cast(:other_messages as bigint[]), cast(:flags_agent as bigint[]),
        cast(:flags_buyer as bigint[]), cast(:as_of as bigint[]), cast(:revisions as bigint[]))
    on conflict (partition, shop_id, day) do update set
        buyer_messages = traffic.buyer_messages + excluded.buyer_messages,
        agent_messages = traffic.agent_messages + excluded.agent_messages,
        other_messages = traffic.other_messages + excluded.other_messages,
        flags_agent = traffic.flags_agent + excluded.flags_agent,
        flags_buyer = traffic.flags_buyer + excluded.flags_buyer,
        as_of_ms = greatest(traffic.as_of_ms, excluded.as_of_ms),
        revision = excluded.revision
    """
)
_FLAGS: Final = text(
    """
    insert into flags (message_id, generation, partition, "offset", shop_id, conversation_id,
        sender_id, speaker, at_ms, categories, hits, lexicon_version, policy_version)
    select m, cast(:generation as smallint), p, o, s, c, sender, speaker, at_ms,
        array(select jsonb_array_elements_text(categories)), hits, lexicon, policy
    from unnest(
        cast(:messages as text[]), cast(:partitions as integer[]), cast(:offsets as bigint[]),
        cast(:shops as text[]), cast(:conversations as text[]), cast(:senders as text[]),
        cast(:speakers as text[]), cast(:moments as bigint[]), cast(:categories as jsonb[]),
        cast(:hits as jsonb[]), cast(:lexicons as text[]), cast(:policies as text[]))
        as f(m, p, o, s, c, sender, speaker, at_ms, categories, hits, lexicon, policy)
    on conflict (message_id) do nothing
    """
)
