"""Reads what is stored about one partition, to be compared with a fold of the log.

Knows rows; must not know what they should be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, PersonId, ShopId
from contracts.topics import CHAT
from kit import positions
from services.monitor.fold.repository import CONSUMER
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score
from services.monitor.response.rollups import CounterKey
from services.monitor.response.rounds import decode_state
from services.monitor.traffic.domain import TrafficKey
from services.monitor.wording.domain import Span, Wording


class Place(NamedTuple):
    """What names a round or a session within its partition."""

    reading: str
    offset: int


@dataclass(slots=True)
class Kept:
    """What is stored about a partition, from one snapshot.

    Rounds and sessions are flat tuples of their columns, judged scores included as JSON.
    """

    next_offset: int
    rounds: dict[Place, tuple[Any, ...]] = field(default_factory=dict)
    sessions: dict[Place, tuple[Any, ...]] = field(default_factory=dict)
    flags: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    counters: dict[CounterKey, Score] = field(default_factory=dict)
    summed: dict[CounterKey, Score] = field(default_factory=dict)
    """Totals as the stored rounds and sessions add up, whatever the counters say."""
    traffic: dict[TrafficKey, tuple[int, ...]] = field(default_factory=dict)
    births: dict[ConversationId, int] = field(default_factory=dict)
    """The oldest record that a conversation's rows or state rest on."""
    spans: list[Span] = field(default_factory=list)


async def read(session: AsyncSession, partition: int, *, generation: int) -> Kept | None:
    """Return what is stored; None where nothing was ever folded. Call it in one `read()` block."""
    offset = await positions.load(session, CONSUMER, topic=CHAT.name, partition=partition)
    if offset is None:
        return None
    kept = Kept(offset)
    mine = {"partition": partition, "generation": generation}
    for reading, at, born, *columns in await session.execute(_ROUNDS, mine):
        kept.rounds[Place(reading, at)] = tuple(columns)
        _born(kept, columns[1], born)
    for reading, at, born, *columns in await session.execute(_SESSIONS, mine):
        kept.sessions[Place(reading, at)] = tuple(columns)
        _born(kept, columns[1], born)
    for (stored,) in await session.execute(_STATES, mine):
        state = decode_state(bytes(stored))
        _born(kept, state.name, state.born_offset)
    for message_id, *columns in await session.execute(_FLAGS, mine):
        kept.flags[message_id] = tuple(columns)
    for shop, at, *versions in await session.execute(_SPANS, mine):
        kept.spans.append(Span(ShopId(shop), at, Wording(*versions)))
    kept.counters = _totals(await session.execute(_COUNTERS, mine))
    kept.summed = _totals(await session.execute(_SUMMED, mine))
    for shop, day, *numbers in await session.execute(_TRAFFIC, mine):
        kept.traffic[TrafficKey(ShopId(shop), day)] = tuple(map(int, numbers))
    return kept


def _born(kept: Kept, conversation_id: str, offset: int) -> None:
    name = ConversationId(conversation_id)
    kept.births[name] = min(offset, kept.births.get(name, offset))


def _totals(rows: Any) -> dict[CounterKey, Score]:
    found: Mapping[CounterKey, Score] = {
        CounterKey(
            ShopId(shop), ProfileName(profile), day, PersonId(agent) if agent else None
        ): Score(*map(int, sums))
        for shop, profile, day, agent, *sums in rows
    }
    return {key: score for key, score in found.items() if score != Score()}


_ROUNDS: Final = text(
    """
    select reading, opened_offset, born_offset, shop_id, conversation_id, buyer_id, agent_id,
        day, opened_ms, closed_ms, waiting_since_ms, outcome, judged
    from rounds where generation = :generation and partition = :partition
    """
)
_SESSIONS: Final = text(
    """
    select reading, started_offset, born_offset, shop_id, conversation_id, buyer_id, agent_id,
        day, started_ms, to_human_ms, assigned_ms, replied_ms, judged
    from sessions where generation = :generation and partition = :partition
    """
)
_STATES: Final = text(
    "select state from conversations where generation = :generation and partition = :partition"
)
_FLAGS: Final = text(
    """
    select message_id, shop_id, "offset", conversation_id, sender_id, speaker, at_ms, hits,
        lexicon_version, policy_version
    from flags where generation = :generation and partition = :partition
    """
)
_SPANS: Final = text(
    """
    select shop_id, first_offset, lexicon_version, policy_version from wording_spans
    where generation = :generation and partition = :partition order by first_offset
    """
)
_COUNTERS: Final = text(
    """
    select shop_id, profile, day, agent_id, rounds, round_ms, unanswered, within, slow,
        sessions, first_responses, first_response_ms, first_within
    from counters where partition = :partition
    """
)
_SUMMED: Final = text(
    """
    select shop_id, profile, day, agent_id, sum(r), sum(ms), sum(u), sum(w), sum(s), sum(n),
        sum(f), sum(fms), sum(fw)
    from (
        select shop_id, key as profile, day, coalesce(agent_id, '') as agent_id,
            cast(value ->> 0 as bigint) as r, cast(value ->> 1 as bigint) as ms,
            cast(value ->> 2 as bigint) as u, cast(value ->> 3 as bigint) as w,
            cast(value ->> 4 as bigint) as s, 0 as n, 0 as f, 0 as fms, 0 as fw
        from rounds, jsonb_each(judged) where partition = :partition
        union all
        select shop_id, key, day, coalesce(agent_id, ''), 0, 0, 0, 0, 0,
            cast(value ->> 0 as bigint), cast(value ->> 1 as bigint),
            cast(value ->> 2 as bigint), cast(value ->> 3 as bigint)
        from sessions, jsonb_each(judged) where partition = :partition
    ) as judged_rows group by 1, 2, 3, 4
    """
)
_TRAFFIC: Final = text(
    """
    select shop_id, day, buyer_messages, agent_messages, other_messages, flags_agent, flags_buyer
    from traffic where partition = :partition
    """
)
