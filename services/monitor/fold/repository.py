"""Stores what a batch of folded records changed, in one fenced transaction (H19).

Knows tables and offsets; must not know what a record means or how a round is judged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.monitor import Alert
from contracts.people import ConversationId, ShopId
from contracts.topics import CHAT
from kit import outbox, positions
from services.monitor.fold import statements as sql
from services.monitor.response.domain import Judged, Round, Score, Session
from services.monitor.response.rollups import CounterKey
from services.monitor.response.rounds import Conversation, decode_state, encode_state
from services.monitor.response.schemas import reading_name, round_json, session_json
from services.monitor.tables import many
from services.monitor.traffic.domain import Traffic, TrafficKey
from services.monitor.wording.domain import FlaggedMessage, Span, Wording

CONSUMER: Final = "monitor.fold"


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
    spans: list[Span] = field(default_factory=list)


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
        self.generation = generation
        self._waits_for = waits_for

    async def load(self, session: AsyncSession, partition: int) -> Stored:
        """Return a partition's state and offset; call it in one `read()` snapshot."""
        offset = await positions.load(session, CONSUMER, topic=CHAT.name, partition=partition)
        mark = (await session.execute(sql.WATERMARK, {"partition": partition})).scalar()
        mine = {"generation": self.generation, "partition": partition}
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
        await many(session, sql.CONVERSATIONS, names=names, rows=rows, generation=self.generation)

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
        await many(session, sql.ROUNDS, names=names, rows=rows, generation=self.generation)

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
        await many(session, sql.SESSIONS, names=names, rows=rows, generation=self.generation)

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
        await many(session, sql.FLAGS, names=names, rows=rows, generation=self.generation)

    async def _spans(self, session: AsyncSession, batch: Sequence[Changes]) -> None:
        rows = [
            (part.partition, span.shop_id, span.first_offset, *span.wording)
            for part in batch
            for span in part.spans
        ]
        names = ("partitions", "shops", "offsets", "lexicons", "policies")
        await many(session, sql.SPANS, names=names, rows=rows, generation=self.generation)


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
    await many(session, sql.COUNTERS, names=names, rows=rows)


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
    await many(session, sql.TRAFFIC, names=names, rows=rows)
