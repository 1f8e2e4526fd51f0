"""A shop's turn at routing: whoever changes who owns what in a shop waits for it."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId

_LOCK_SHOP = text("select pg_advisory_xact_lock(hashtextextended('routing ' || :shop, 0))")


async def lock_shops(session: AsyncSession, shop_ids: Sequence[ShopId]) -> None:
    """Make this transaction the only one that routes in these shops until it ends.

    An agent's load spans skill groups, so the lock is the shop's and not the group's. Taken before
    any row lock and in one order: routing transactions cannot deadlock.
    """
    for shop_id in sorted(set(shop_ids)):
        await session.execute(_LOCK_SHOP, {"shop": shop_id})
