"""The rows of words in chats. Knows no rule.

`found_words` is the table owner's function: array operators are not leakproof, so under a row
policy their index would not be used. It takes the shop as an argument, that of the transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.conversation.search.domain import IndexedMessage, Reach

_TIMEOUT: Final = text("select set_config('statement_timeout', :ms, true)")

_FOUND: Final = text(
    """
    select w.message_id, w.conversation_id, w.at, w.sender_id, m.generation, m.log_offset,
        m.type, m.sender_kind, m.body
    from found_words(
        :shop, cast(:keys as bigint[]), cast(:since as timestamptz), cast(:till as timestamptz),
        cast(:below_at as timestamptz), cast(:below_id as uuid), :sender, :most
    ) w
    join messages m on m.message_id = w.message_id
    order by w.at desc, w.message_id desc
    """
)

_REACHES: Final = text("select partition, generation, next_offset, reached_at from words_reach")

_BEGIN: Final = text(
    """
    insert into words_reach (partition, generation, next_offset)
    select p.partition, coalesce((select min(generation) from generations where topic = :topic), 1),
        0
    from unnest(cast(:partitions as smallint[])) as p (partition)
    on conflict do nothing
    """
)

_LOCK: Final = text(
    """
    select partition, generation, next_offset, reached_at from words_reach
    where partition = :partition for update skip locked
    """
)

_NEXT: Final = text(
    """
    select m.message_id, m.conversation_id, c.shop_id, m.log_offset, m.type, m.time,
        case when m.type = any(:types) then m.body end as body
    from messages m left join conversations c on c.id = m.conversation_id
    where m.generation = :generation and m.partition = :partition
        and m.log_offset >= :next_offset and m.log_offset < :end
    order by m.log_offset limit :limit
    """
)

_ADD: Final = text(
    """
    insert into words (message_id, shop_id, conversation_id, sender_id, at, terms)
    values (:message_id, :shop_id, :conversation_id, :sender_id, :at, :keys)
    on conflict do nothing
    """
)

_MOVE: Final = text(
    """
    update words_reach set generation = :generation, next_offset = :next_offset,
        reached_at = :reached_at
    where partition = :partition
    """
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for in a shop: all of these keys, newest first, below a place."""

    shop_id: str
    keys: Sequence[int]
    since: datetime
    till: datetime
    below: tuple[datetime, str]
    sender_id: str | None = None


async def found(
    session: AsyncSession, wanted: Wanted, *, limit: int, timeout_ms: int
) -> list[Row[Any]]:
    """Return messages that have all keys, or nothing in time: raises `DatabaseBusy`."""
    await session.execute(_TIMEOUT, {"ms": str(timeout_ms)})
    query = {
        "shop": wanted.shop_id,
        "keys": list(wanted.keys),
        "since": wanted.since,
        "till": wanted.till,
        "below_at": wanted.below[0],
        "below_id": wanted.below[1],
        "sender": wanted.sender_id,
        "most": limit,
    }
    return list(await session.execute(_FOUND, query))


async def reaches(session: AsyncSession) -> dict[int, Reach]:
    """Return up to where each partition is indexed."""
    return {row.partition: Reach(*row) for row in await session.execute(_REACHES)}


async def begin(session: AsyncSession, topic: str, partitions: Sequence[int]) -> None:
    """Begin with the oldest record of partitions that nobody has begun with."""
    await session.execute(_BEGIN, {"topic": topic, "partitions": list(partitions)})


async def lock(session: AsyncSession, partition: int) -> Reach | None:
    """Return up to where a partition is indexed, None while somebody else goes on with it."""
    row = (await session.execute(_LOCK, {"partition": partition})).one_or_none()
    return None if row is None else Reach(*row)


async def archived(
    session: AsyncSession, reach: Reach, *, end: int, types: Sequence[str], limit: int
) -> list[Row[Any]]:
    """Return what stands behind a reach in the archive, in the order of the log."""
    query: Mapping[str, object] = {
        "generation": reach.generation,
        "partition": reach.partition,
        "next_offset": reach.next_offset,
        "end": end,
        "types": list(types),
        "limit": limit,
    }
    return list(await session.execute(_NEXT, query))


async def add(session: AsyncSession, messages: Sequence[IndexedMessage]) -> None:
    """Keep what is looked up of messages, each once."""
    rows = [
        {
            "message_id": one.message_id,
            "shop_id": one.shop_id,
            "conversation_id": one.conversation_id,
            "sender_id": one.sender_id,
            "at": one.at,
            "keys": list(one.keys),
        }
        for one in messages
    ]
    if rows:
        await session.execute(_ADD, rows)


async def move(session: AsyncSession, reach: Reach) -> None:
    """Say up to where a locked partition is indexed now."""
    await session.execute(
        _MOVE,
        {
            "partition": reach.partition,
            "generation": reach.generation,
            "next_offset": reach.next_offset,
            "reached_at": reach.reached_at,
        },
    )
