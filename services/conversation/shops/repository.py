"""Shops: found, added, changed. Knows no rule."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.conversation.shops.domain import Shop
from services.conversation.shops.models import ShopRow
from services.conversation.tables import fields, table_of

_SHOPS: Final = table_of(ShopRow)


# ---- shops and skill groups


async def find_shop(session: AsyncSession, shop_id: str, *, lock: bool = False) -> Shop | None:
    """Return a shop, locked until the transaction ends if asked."""
    wanted = select(_SHOPS).where(_SHOPS.c.id == shop_id)
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    return None if row is None else _shop(row)


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
    return [_shop(row) for row in await session.execute(wanted)]


def _shop(row: Row[Any]) -> Shop:
    return Shop(
        id=ShopId(row.id),
        name=row.name,
        time_zone=row.time_zone,
        active=row.active,
        secret_version=row.secret_version,
        policy=row.policy,
        version=row.version,
    )
