"""Rows of channels and of what is sent over them. Must not know what a robot is, nor a key."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import CursorResult, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.channels.domain import (
    PENDING_MOST,
    ChannelState,
    Delivery,
    DeliveryState,
    Level,
    Notice,
    Step,
    Tally,
)
from services.monitor.channels.models import ChannelRow, DeliveryRow
from services.monitor.tables import many


class Place(NamedTuple):
    """The last delivery of a page."""

    at_ms: int
    id: str


class Listener(NamedTuple):
    """A channel that is told, and of what."""

    id: str
    levels: frozenset[Level]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an attempt; `due_ms`: when there is another."""

    state: DeliveryState
    code: str
    unknown: bool = False
    due_ms: int | None = None


RANKS: Final = 3
"""Above every level's rank."""


class Unsent(NamedTuple):
    """What is due to a channel by a moment, below a rank; or waits for a digest alone."""

    channel: str
    now: int
    rank: int


class Posted(NamedTuple):
    """A notice on its way to a channel."""

    id: str
    channel_id: str
    notice: Notice


async def channels(session: AsyncSession, shop_id: ShopId) -> Sequence[ChannelRow]:
    """Return a shop's channels, the oldest first."""
    found = select(ChannelRow).where(ChannelRow.shop_id == shop_id).order_by(ChannelRow.id)
    return (await session.scalars(found)).all()


async def channel(
    session: AsyncSession, shop_id: ShopId, channel_id: str, *, lock: bool = False
) -> ChannelRow | None:
    """Return a channel of the shop."""
    found = select(ChannelRow).where(ChannelRow.id == channel_id, ChannelRow.shop_id == shop_id)
    return await session.scalar(found.with_for_update() if lock else found)


async def remove(session: AsyncSession, channel_id: str, *, now_ms: int) -> None:
    """Delete a channel; what it was still to be sent has failed."""
    await session.execute(delete(ChannelRow).where(ChannelRow.id == channel_id))
    await give_up(session, channel_id, code="removed", now_ms=now_ms)


async def listeners(session: AsyncSession, shop_id: ShopId) -> list[Listener]:
    """Return the shop's channels that are on."""
    found = select(ChannelRow.id, ChannelRow.levels).where(
        ChannelRow.shop_id == shop_id, ChannelRow.state == ChannelState.ON.value
    )
    rows = await session.execute(found.order_by(ChannelRow.id))
    return [Listener(row.id, frozenset(map(Level, row.levels))) for row in rows]


async def pending(session: AsyncSession, shop_id: ShopId) -> int:
    """Return how many deliveries of a shop wait; it is counted no further than matters."""
    found = select(DeliveryRow.id).where(
        DeliveryRow.shop_id == shop_id, DeliveryRow.state == DeliveryState.PENDING.value
    )
    some = found.limit(PENDING_MOST).subquery()
    return (await session.execute(select(func.count()).select_from(some))).scalar_one()


async def add(
    session: AsyncSession,
    shop_id: ShopId,
    posted: Sequence[Posted],
    *,
    state: DeliveryState,
    now_ms: int,
) -> None:
    """Store deliveries, due at once; `merged` ones wait for the next digest."""
    rows = [
        (one.id, one.channel_id, one.notice.alert_id, one.notice.step.value,
         one.notice.level.value, one.notice.level.rank, one.notice.rule,
         json.dumps(one.notice.stored()))
        for one in posted
    ]  # fmt: skip
    names = "ids", "channels", "alerts", "steps", "levels", "ranks", "rules", "contents"
    fixed = {"shop": shop_id, "state": state.value, "now": now_ms}
    await many(session, _ADD, names=names, rows=rows, **fixed)


async def page(
    session: AsyncSession,
    shop_id: ShopId,
    channel_id: str,
    *,
    after: Place | None,
    limit: int,
) -> Sequence[DeliveryRow]:
    """Return at most `limit` deliveries of a channel that stand behind `after`, newest first."""
    row = DeliveryRow
    found = select(row).where(row.channel_id == channel_id, row.shop_id == shop_id)
    if after is not None:
        found = found.where(tuple_(row.created_ms, row.id) < tuple_(after.at_ms, after.id))
    newest = found.order_by(row.created_ms.desc(), row.id.desc()).limit(limit)
    return (await session.scalars(newest)).all()


async def delivery(session: AsyncSession, delivery_id: str) -> DeliveryRow:
    """Return a delivery that was just stored."""
    return (await session.scalars(select(DeliveryRow).where(DeliveryRow.id == delivery_id))).one()


async def due_channels(session: AsyncSession, *, now_ms: int) -> dict[str, ShopId]:
    """Return the channels of all shops that something is due for, and does not rest, with shops."""
    rows = await session.execute(_DUE_CHANNELS, {"now": now_ms})
    return {row.id: ShopId(row.shop_id) for row in rows}


async def due(session: AsyncSession, channel_id: str, *, now_ms: int, limit: int) -> list[Delivery]:
    """Return what a channel is to be sent by now: the worst first, then the oldest."""
    rows = await session.execute(_DUE, {"channel": channel_id, "now": now_ms, "limit": limit})
    return [_delivery(row) for row in rows]


async def claim(session: AsyncSession, delivery_id: str, *, until_ms: int) -> int | None:
    """Begin an attempt; return its number, or None if nothing is to be sent any more.

    Until it is settled it counts as one that may have arrived, whatever becomes of this process.
    """
    values = {"id": delivery_id, "until": until_ms}
    attempt: int | None = (await session.execute(_CLAIM, values)).scalar_one_or_none()
    return attempt


async def settle(session: AsyncSession, delivery_id: str, settled: Settled, *, now_ms: int) -> None:
    """Say what became of an attempt."""
    row = DeliveryRow
    changed = update(row).where(row.id == delivery_id, row.state == DeliveryState.PENDING.value)
    await session.execute(
        changed.values(
            state=settled.state.value,
            code=settled.code,
            unknown=settled.unknown,
            due_ms=settled.due_ms,
            settled_ms=None if settled.state is DeliveryState.PENDING else now_ms,
        )
    )


async def rest(session: AsyncSession, channel_id: str, *, until_ms: int) -> None:
    """Send nothing over a channel until then."""
    changed = update(ChannelRow).where(ChannelRow.id == channel_id)
    await session.execute(changed.values(rests_until_ms=until_ms))


async def turn(
    session: AsyncSession, channel_id: str, state: ChannelState, *, why: str | None, now_ms: int
) -> bool:
    """Put a channel into a state that takes nothing; return False if it is in it, or gone."""
    row = ChannelRow
    changed = update(row).where(row.id == channel_id, row.state != state.value)
    values = {"state": state.value, "why": why, "changed_ms": now_ms, "rests_until_ms": None}
    turned = await session.execute(changed.values(**values, version=row.version + 1))
    await give_up(session, channel_id, code=state.value, now_ms=now_ms)
    return bool(cast("CursorResult[Any]", turned).rowcount)


async def give_up(session: AsyncSession, channel_id: str, *, code: str, now_ms: int) -> None:
    """Let what was still to be sent over a channel have failed."""
    await session.execute(_GIVE_UP, {"channel": channel_id, "now": now_ms, "code": code})


async def merges(session: AsyncSession, channel_id: str, *, now_ms: int) -> bool:
    """Tell whether something waits for a digest alone."""
    found = await session.execute(_MERGES, {"channel": channel_id, "now": now_ms})
    return bool(found.scalar_one())


async def worst(session: AsyncSession, due: Unsent, *, limit: int) -> list[Notice]:
    """Return the worst of what a digest would stand for."""
    rows = await session.execute(_WORST, due._asdict() | {"limit": limit})
    return [Notice.of(row.content) for row in rows]


async def merge(session: AsyncSession, due: Unsent, *, digest_id: str) -> tuple[Tally, ...]:
    """Let a digest stand for what is due and was not sent; return how many of each rule."""
    rows = await session.execute(_MERGE, due._asdict() | {"digest": digest_id})
    return tuple(Tally(row.rule, row.title, Level(row.level), row.number) for row in rows)


async def add_digest(session: AsyncSession, delivery: Delivery, *, now_ms: int) -> None:
    """Store a digest, to be sent at once."""
    await session.execute(
        insert(DeliveryRow).values(
            id=delivery.id,
            shop_id=delivery.shop_id,
            channel_id=delivery.channel_id,
            step=delivery.step.value,
            level=delivery.level.value,
            # Behind it all others would be merged into a second one.
            rank=RANKS,
            rule="",
            content=dict(delivery.content),
            state=DeliveryState.PENDING.value,
            attempt=0,
            unknown=False,
            created_ms=now_ms,
            due_ms=now_ms,
        )
    )


async def sent_lately(
    session: AsyncSession, *, since_ms: int, now_ms: int
) -> list[tuple[str, int]]:
    """Return which channels were sent something since then, and when: also by another process.

    When an attempt was made that is not settled, or is to be repeated, is not kept: it counts as
    made a moment ago, so that no robot is sent more than it takes.
    """
    rows = await session.execute(_SENT_LATELY, {"since": since_ms, "now": now_ms})
    return [(row.channel_id, row.at_ms) for row in rows]


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.id,
        ShopId(row.shop_id),
        row.channel_id,
        Step(row.step),
        Level(row.level),
        row.content,
        row.attempt,
        row.unknown,
        row.created_ms,
    )


_ADD: Final = text(
    """
    insert into deliveries (id, shop_id, channel_id, alert_id, step, level, rank, rule, content,
        state, attempt, unknown, created_ms, due_ms)
    select id, :shop, channel, alert, step, level, rank, rule, content, :state, 0, false,
        cast(:now as bigint), cast(:now as bigint)
    from unnest(cast(:ids as text[]), cast(:channels as text[]), cast(:alerts as text[]),
        cast(:steps as text[]), cast(:levels as text[]), cast(:ranks as smallint[]),
        cast(:rules as text[]), cast(:contents as jsonb[]))
        as d(id, channel, alert, step, level, rank, rule, content)
    """
)
_GIVE_UP: Final = text(
    """
    update deliveries set state = case when state = 'pending' then 'failed' else state end,
        code = :code, due_ms = null, settled_ms = cast(:now as bigint)
    where channel_id = :channel and due_ms is not null
    """
)
_SENT_LATELY: Final = text(
    """
    select channel_id, settled_ms as at_ms from deliveries
    where state = 'sent' and settled_ms >= :since
    union all
    select channel_id, cast(:now as bigint) from deliveries
    where state = 'pending' and attempt > 0 and due_ms >= :since
    order by at_ms
    """
)
_DUE_CHANNELS: Final = text(
    """
    select id, shop_id from channels c
    where coalesce(rests_until_ms, 0) <= :now and exists (
        select from deliveries d where d.channel_id = c.id and d.due_ms <= :now)
    """
)
_MERGES: Final = text(
    """
    select exists (select from deliveries
        where channel_id = :channel and due_ms <= :now and state = 'merged')
    """
)
_DUE: Final = text(
    """
    select id, shop_id, channel_id, step, level, content, attempt, unknown, created_ms
    from deliveries
    where channel_id = :channel and due_ms <= :now and state = 'pending'
    order by rank desc, created_ms, id limit :limit
    """
)
_CLAIM: Final = text(
    """
    update deliveries set attempt = attempt + 1, unknown = true, due_ms = :until
    where id = :id and state = 'pending' returning attempt
    """
)
_WORST: Final = text(
    """
    select content from deliveries
    where channel_id = :channel and due_ms <= :now and step <> 'digest'
        and (rank < :rank or state = 'merged')
    order by rank desc, created_ms, id limit :limit
    """
)
_MERGE: Final = text(
    """
    with gone as (
        update deliveries set state = 'merged', merged_into = :digest, due_ms = null,
            settled_ms = cast(:now as bigint)
        where channel_id = :channel and due_ms <= :now and step <> 'digest'
            and (rank < :rank or state = 'merged')
        returning rule, level, rank, content
    )
    select rule, level, count(*) as number, (array_agg(content -> 'title'))[1] as title
    from gone group by rule, level order by max(rank) desc, count(*) desc, rule limit 40
    """
)
