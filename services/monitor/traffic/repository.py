"""Rows of traffic. Must not know who asks."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.fold.measures import Row, Stretch
from services.monitor.tables import many
from services.monitor.traffic.domain import Traffic, TrafficKey


async def add(
    session: AsyncSession, changes: Iterable[tuple[Stretch, TrafficKey, Traffic]]
) -> None:
    """Add messages to their days, in one order."""
    rows = sorted(
        (
            of.partition, key.shop_id, key.day, t.buyer_messages, t.agent_messages,
            t.other_messages, t.as_of_ms, of.end,
        )
        for of, key, t in changes
    )  # fmt: skip
    names = ("partitions", "shops", "days", "buyer_messages", "agent_messages",
             "other_messages", "as_of", "revisions")  # fmt: skip
    await many(session, _ADD, names=names, rows=rows)


async def kept(session: AsyncSession, mine: Mapping[str, Any]) -> list[Row]:
    """Return the stored messages of a partition by shop and day."""
    rows = await session.execute(_KEPT, mine)
    return [
        Row("traffic", (shop, day), tuple(map(int, numbers)), 0, day=day)
        for shop, day, *numbers in rows
    ]


async def as_of_ms(session: AsyncSession, shop_id: ShopId) -> int | None:
    """Return the newest folded event's time."""
    found = (await session.execute(_AS_OF, {"shop": shop_id})).scalar()
    return None if found is None else int(found)


_AS_OF: Final = text(
    """
    select max(as_of_ms) from traffic
    where shop_id = :shop and day = (select max(day) from traffic where shop_id = :shop)
    """
)
"""The newest event falls on the newest day: older days of the shop are not read."""
_ADD: Final = text(
    """
    insert into traffic (partition, shop_id, day, buyer_messages, agent_messages, other_messages,
        flags_agent, flags_buyer, as_of_ms, revision)
    select p, s, d, b, a, o, 0, 0, m, r from unnest(
        cast(:partitions as integer[]), cast(:shops as text[]), cast(:days as date[]),
        cast(:buyer_messages as bigint[]), cast(:agent_messages as bigint[]),
        cast(:other_messages as bigint[]), cast(:as_of as bigint[]), cast(:revisions as bigint[]))
        as u(p, s, d, b, a, o, m, r)
    on conflict (partition, shop_id, day) do update set
        buyer_messages = traffic.buyer_messages + excluded.buyer_messages,
        agent_messages = traffic.agent_messages + excluded.agent_messages,
        other_messages = traffic.other_messages + excluded.other_messages,
        as_of_ms = greatest(traffic.as_of_ms, excluded.as_of_ms),
        revision = excluded.revision
    """
)
_KEPT: Final = text(
    """
    select shop_id, day, buyer_messages, agent_messages, other_messages
    from traffic where partition = :partition
    """
)
