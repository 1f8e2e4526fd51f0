"""Reads the traffic of a shop. Must not know who asks."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId


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
