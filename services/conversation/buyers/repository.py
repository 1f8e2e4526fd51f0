"""Buyers: found, kept. Knows no rule."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from services.conversation.buyers.domain import Buyer
from services.conversation.buyers.models import BuyerRow
from services.conversation.tables import fields, table_of

_BUYERS: Final = table_of(BuyerRow)


_BY_NAME: Final = text(
    """
    select * from buyers where shop_id = :shop and name ~>=~ :low and name ~<~ :high
    order by name using ~<~, id limit :limit
    """
).columns(**{column.name: column.type for column in _BUYERS.columns})

_LAST_CHARACTER: Final = chr(0x10FFFF)


async def find_buyer(session: AsyncSession, buyer_id: str, *, lock: bool = False) -> Buyer | None:
    """Return a buyer of any shop; the caller checks whose."""
    wanted = select(_BUYERS).where(_BUYERS.c.id == buyer_id)
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    return None if row is None else _buyer(row)


async def find_buyers(session: AsyncSession, ids: Iterable[str]) -> dict[str, Buyer]:
    """Return several buyers by id."""
    rows = await session.execute(select(_BUYERS).where(_BUYERS.c.id.in_(set(ids))))
    return {row.id: _buyer(row) for row in rows}


async def named(session: AsyncSession, shop_id: str, prefix: str, *, limit: int) -> list[Buyer]:
    """Return a shop's buyers whose names begin so, by name."""
    facts = {"shop": shop_id, "low": prefix, "high": prefix + _LAST_CHARACTER, "limit": limit}
    return [_buyer(row) for row in await session.execute(_BY_NAME, facts)]


async def called(
    session: AsyncSession, shop_id: str, phones: Sequence[str], *, limit: int
) -> list[Buyer]:
    """Return a shop's buyers who have one of these phones, which are whole."""
    wanted = select(_BUYERS).where(
        _BUYERS.c.shop_id == shop_id, _BUYERS.c.phone.in_(phones), _BUYERS.c.phone != ""
    )
    return [_buyer(row) for row in await session.execute(wanted.limit(limit))]


async def keep_buyer(session: AsyncSession, buyer: Buyer, *, told: Iterable[str]) -> Buyer:
    """Insert a buyer, or change of a known one the columns `told`; return what is stored."""
    made = upsert(_BUYERS).values(fields(buyer, _BUYERS.columns.keys()))
    changed = {name: made.excluded[name] for name in told} or {"id": _BUYERS.c.id}  # returns a row
    kept = made.on_conflict_do_update(index_elements=[_BUYERS.c.id], set_=changed)
    return _buyer((await session.execute(kept.returning(_BUYERS))).one())


async def save_buyer(session: AsyncSession, buyer: Buyer) -> None:
    """Write back a buyer."""
    changed = update(_BUYERS).where(_BUYERS.c.id == buyer.id)
    await session.execute(changed.values(fields(buyer, _BUYERS.columns.keys())))


async def revoked_buyers(session: AsyncSession, *, since: datetime) -> list[Buyer]:
    """Return buyers whose tokens were withdrawn since, locked until the transaction ends."""
    wanted = select(_BUYERS).where(_BUYERS.c.version > 0, _BUYERS.c.not_before >= since)
    rows = await session.execute(wanted.order_by(_BUYERS.c.id).with_for_update())
    return [_buyer(row) for row in rows]


def _buyer(row: Row[Any]) -> Buyer:
    return Buyer(
        id=PersonId(row.id),
        shop_id=ShopId(row.shop_id),
        name=row.name,
        external_id=row.external_id,
        phone=row.phone,
        address=row.address,
        tier=row.tier,
        not_before=row.not_before,
        version=row.version,
    )
