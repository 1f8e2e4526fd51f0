"""Time as deadlines have it: the database's, which is one for all processes of a service."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession


async def now(session: AsyncSession) -> datetime:
    """Return the database's time. Deadlines are made and swept by this one clock (P14)."""
    moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return moment
