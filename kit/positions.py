"""Offsets kept beside what was made of the records: fenced positions, marks, generations.

Knows no consumer. Each function works in the caller's transaction; that is its whole point.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kit.errors import Fenced

_LOAD: Final = text(
    "select next_offset from positions"
    " where consumer = :consumer and topic = :topic and partition = :partition"
)
_ADVANCE: Final = text(
    "update positions set next_offset = :new where consumer = :consumer and topic = :topic"
    " and partition = :partition and next_offset = :expected returning 1"
)
_ADVANCE_ALL: Final = text(
    """
    update positions set next_offset = moved.new
    from (
        select p.partition, m.new from positions p
        join unnest(cast(:partitions as integer[]), cast(:expected as bigint[]),
            cast(:new as bigint[])) as m (partition, expected, new)
            on p.partition = m.partition and p.next_offset = m.expected
        where p.consumer = :consumer and p.topic = :topic
        order by p.partition
        for update of p
    ) as moved
    where consumer = :consumer and topic = :topic and positions.partition = moved.partition
    returning positions.partition
    """
)
"""Locks in the order of partitions, so that two owners cannot deadlock; one round trip."""
_BEGIN: Final = text(
    "insert into positions (consumer, topic, partition, next_offset)"
    " values (:consumer, :topic, :partition, :new) on conflict do nothing returning 1"
)
_RAISE: Final = text(
    """
    insert into marks (topic, partition, next_offset)
    select :topic, * from unnest(cast(:partitions as integer[]), cast(:offsets as bigint[])) as m
    order by 2
    on conflict (topic, partition) do update set next_offset = excluded.next_offset
    where marks.next_offset < excluded.next_offset
    """
)
_MARK: Final = text("select next_offset from marks where topic = :topic and partition = :partition")
_MARKS: Final = text("select partition, next_offset from marks where topic = :topic")
_GENERATION: Final = text(
    "select generation, topic_id from generations where topic = :topic"
    " order by generation desc limit 1"
)
_BEGIN_GENERATION: Final = text(
    "insert into generations (topic, generation, topic_id) values (:topic, :generation, :topic_id)"
)


class ForeignTopic(Exception):
    """The topic on the broker is not the one that the stored offsets belong to (H4)."""


async def load(session: AsyncSession, consumer: str, *, topic: str, partition: int) -> int | None:
    """Return the next offset to fold, or None where nothing was folded yet."""
    where = {"consumer": consumer, "topic": topic, "partition": partition}
    found = await session.execute(_LOAD, where)
    offset: int | None = found.scalar()
    return offset


async def advance(
    session: AsyncSession,
    consumer: str,
    *,
    topic: str,
    partition: int,
    expected: int | None,
    new: int,
) -> None:
    """Move the position from `expected` (None: no row yet) to `new`, with the caller's effects.

    Raises `Fenced` if it does not stand at `expected`: another owner folds this partition (H19).
    Roll back, drop the state and join again.
    """
    where = {"consumer": consumer, "topic": topic, "partition": partition, "new": new}
    if expected is None:
        moved = await session.execute(_BEGIN, where)
    else:
        moved = await session.execute(_ADVANCE, where | {"expected": expected})
    if moved.scalar() is None:
        raise Fenced(f"{consumer}: {topic}/{partition} no longer stands at {expected}")


async def advance_all(
    session: AsyncSession, consumer: str, *, topic: str, moves: Mapping[int, tuple[int, int]]
) -> None:
    """Move several partitions, each from its expected offset to its new one, or none of them.

    Raises `Fenced` as `advance` does; positions must exist.
    """
    ordered = sorted(moves.items())
    moved = await session.execute(
        _ADVANCE_ALL,
        {
            "consumer": consumer,
            "topic": topic,
            "partitions": [partition for partition, _ in ordered],
            "expected": [expected for _, (expected, _) in ordered],
            "new": [new for _, (_, new) in ordered],
        },
    )
    lost = moves.keys() - set(moved.scalars())
    if lost:
        raise Fenced(f"{consumer}: {topic} {sorted(lost)} no longer stand where they did")


async def raise_marks(session: AsyncSession, topic: str, offsets: Mapping[int, int]) -> None:
    """Raise the mark of each partition to its offset; a lower one changes nothing (H10)."""
    if offsets:
        ordered = sorted(offsets.items())
        await session.execute(
            _RAISE,
            {
                "topic": topic,
                "partitions": [partition for partition, _ in ordered],
                "offsets": [offset for _, offset in ordered],
            },
        )


async def mark(session: AsyncSession, *, topic: str, partition: int) -> int:
    """Return the offset below which everything is stored or set aside; 0 where nothing is."""
    found = await session.execute(_MARK, {"topic": topic, "partition": partition})
    return int(found.scalar() or 0)


async def marks(session: AsyncSession, topic: str) -> dict[int, int]:
    """Return the mark of every partition that has one."""
    rows = await session.execute(_MARKS, {"topic": topic})
    return {partition: offset for partition, offset in rows}  # noqa: C416 - rows are no pairs to mypy


async def generation(session: AsyncSession, topic: str, *, topic_id: str) -> int:
    """Return the generation of the topic's offsets, beginning the first one if there is none.

    Raises `ForeignTopic` if the stored offsets belong to another topic of the same name (H4).
    """
    current = (await session.execute(_GENERATION, {"topic": topic})).one_or_none()
    if current is None:
        return await begin_generation(session, topic, topic_id=topic_id)
    number, known = current
    if known != topic_id:
        raise ForeignTopic(
            f"Topic {topic} was deleted and made again: its offsets start over, the stored ones"
            " belong to the old one. If that was meant, run `peakdesk generation --begin`;"
            " else bring the old topic back."
        )
    return int(number)


async def begin_generation(session: AsyncSession, topic: str, *, topic_id: str) -> int:
    """Begin the next generation of a topic: its positions and marks start over. Return its number.

    Beginning the one that has begun changes nothing.
    """
    current = (await session.execute(_GENERATION, {"topic": topic})).one_or_none()
    number, known = (0, "") if current is None else current
    if known == topic_id:
        return int(number)
    await session.execute(
        _BEGIN_GENERATION, {"topic": topic, "generation": number + 1, "topic_id": topic_id}
    )
    for table in ("positions", "marks"):
        there = await session.execute(text("select to_regclass(:table)"), {"table": table})
        if there.scalar() is not None:
            await session.execute(
                text(f"delete from {table} where topic = :topic"), {"topic": topic}
            )
    return int(number) + 1
