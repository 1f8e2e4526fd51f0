"""Shops: found, added, changed. Knows no rule."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import Handoff, Timing
from contracts.people import ShopId
from services.conversation.shops.domain import USUAL, Shop, by_column
from services.conversation.shops.models import ShopRow
from services.conversation.tables import fields, table_of

_SHOPS: Final = table_of(ShopRow)

_NEWEST_TIMINGS: Final = text(
    """
    select t.* from unnest(cast(:shops as text[])) as s (id)
    cross join lateral (
        select * from timings where shop_id = s.id order by since desc limit 1
    ) t
    """
)

OVERFLOW_S: Final = f"""
    coalesce(
        (select overflow_s from timings where shop_id = :shop order by since desc limit 1),
        {USUAL.overflow_s}
    )
"""
"""The wait of `:shop` after which its every group helps, for a statement that needs it."""

_KEEP_TIMING: Final = text(
    """
    insert into timings
        (shop_id, since, reopen_gap_s, idle_close_s, abandon_s, silence_s, overflow_s,
         handoff_offer_s)
    select :shop, greatest(cast(:at as timestamptz), max(since) + interval '1 microsecond'),
        :reopen_gap_s, :idle_close_s, :abandon_s, :silence_s, :overflow_s,
        cast(:handoff_offer_s as integer)
    from timings where shop_id = :shop
    """
)


async def find_shop(session: AsyncSession, shop_id: str, *, lock: bool = False) -> Shop | None:
    """Return a shop, locked until the transaction ends if asked."""
    wanted = select(_SHOPS).where(_SHOPS.c.id == shop_id)
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    return None if row is None else _shop(row, await timing_of(session, shop_id))


async def known_of(session: AsyncSession, ids: Iterable[str]) -> set[ShopId]:
    """Return those of these shops that there are."""
    found = await session.execute(select(_SHOPS.c.id).where(_SHOPS.c.id.in_(set(ids))))
    return {ShopId(shop_id) for shop_id in found.scalars()}


async def add_shop(session: AsyncSession, shop: Shop) -> bool:
    """Insert a shop; False if it is there already."""
    made = upsert(_SHOPS).values(fields(shop, _SHOPS.columns.keys())).on_conflict_do_nothing()
    return (await session.execute(made.returning(_SHOPS.c.id))).scalar() is not None


async def save_shop(session: AsyncSession, shop: Shop) -> None:
    """Write back a shop."""
    changed = update(_SHOPS).where(_SHOPS.c.id == shop.id)
    await session.execute(changed.values(fields(shop, _SHOPS.columns.keys())))


async def every_shop(session: AsyncSession) -> list[Shop]:
    """Return all shops, the platform's own scope among them, locked until the transaction ends."""
    wanted = select(_SHOPS).order_by(_SHOPS.c.id).with_for_update()
    rows = list(await session.execute(wanted))
    timings = await timings_of(session, [row.id for row in rows])
    return [_shop(row, timings[ShopId(row.id)]) for row in rows]


async def timing_of(session: AsyncSession, shop_id: str) -> Timing:
    """Return a shop's own waits; the usual ones where it has set none."""
    return (await timings_of(session, [shop_id]))[ShopId(shop_id)]


async def timings_of(session: AsyncSession, shop_ids: Iterable[str]) -> dict[ShopId, Timing]:
    """Return the waits of several shops."""
    known = sorted(set(shop_ids))
    rows = await session.execute(_NEWEST_TIMINGS, {"shops": known})
    usual: dict[ShopId, Timing] = {ShopId(shop_id): USUAL for shop_id in known}
    return usual | {
        ShopId(row.shop_id): Timing(
            reopen_gap_s=row.reopen_gap_s,
            idle_close_s=row.idle_close_s,
            abandon_s=row.abandon_s,
            silence_s=row.silence_s,
            overflow_s=row.overflow_s,
            handoff=Handoff(offer_s=row.handoff_offer_s),
        )
        for row in rows
    }


async def keep_timing(session: AsyncSession, shop_id: str, timing: Timing, at: datetime) -> None:
    """Keep a shop's waits from a moment on, at the earliest behind those that it had.

    The shop is locked by the caller: of two replicas' clocks one may be behind.
    """
    await session.execute(_KEEP_TIMING, {"shop": shop_id, "at": at, **by_column(timing)})


def _shop(row: Row[Any], timing: Timing) -> Shop:
    return Shop(
        id=ShopId(row.id),
        name=row.name,
        time_zone=row.time_zone,
        active=row.active,
        secret_version=row.secret_version,
        policy=row.policy,
        widget=row.widget,
        timing=timing,
        version=row.version,
    )
