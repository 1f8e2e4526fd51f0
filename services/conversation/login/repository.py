"""From where members of staff have signed in. Knows places by a derived id, never an address."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId
from kit.ids import derived_id
from services.conversation.login.models import StaffOriginRow
from services.conversation.tables import table_of

_STAFF_ORIGINS: Final = table_of(StaffOriginRow)

ORIGINS_LIMIT: Final = 50
"""Places remembered of a person; the one not used for longest is forgotten first."""


async def is_known(
    session: AsyncSession, staff_id: PersonId, origin: str, *, since: datetime
) -> bool:
    """Tell whether the person has signed in from there since that moment."""
    found = await session.execute(
        select(_STAFF_ORIGINS.c.seen_at).where(
            _STAFF_ORIGINS.c.staff_id == staff_id,
            _STAFF_ORIGINS.c.origin == _derived(staff_id, origin),
            _STAFF_ORIGINS.c.seen_at > since,
        )
    )
    return found.scalar_one_or_none() is not None


async def keep(session: AsyncSession, staff_id: PersonId, origin: str, *, at: datetime) -> None:
    """Remember that the person, locked by the caller, has signed in from there."""
    made = upsert(_STAFF_ORIGINS).values(
        staff_id=staff_id, origin=_derived(staff_id, origin), seen_at=at
    )
    seen = {"seen_at": made.excluded.seen_at}
    await session.execute(
        made.on_conflict_do_update(
            index_elements=[_STAFF_ORIGINS.c.staff_id, _STAFF_ORIGINS.c.origin], set_=seen
        )
    )
    beyond = (
        select(_STAFF_ORIGINS.c.origin)
        .where(_STAFF_ORIGINS.c.staff_id == staff_id)
        .order_by(_STAFF_ORIGINS.c.seen_at.desc(), _STAFF_ORIGINS.c.origin)
        .offset(ORIGINS_LIMIT)
    )
    await session.execute(
        delete(_STAFF_ORIGINS).where(
            _STAFF_ORIGINS.c.staff_id == staff_id, _STAFF_ORIGINS.c.origin.in_(beyond)
        )
    )


async def forget(session: AsyncSession, before: datetime, *, limit: int) -> int:
    """Delete at most `limit` places that were last used before that moment; return how many."""
    place = (_STAFF_ORIGINS.c.staff_id, _STAFF_ORIGINS.c.origin)
    old = select(*place).where(_STAFF_ORIGINS.c.seen_at < before).limit(limit)
    # A login under way holds its row: the next sweep finds it, or no longer has to.
    locked = old.with_for_update(skip_locked=True).subquery()
    gone = delete(_STAFF_ORIGINS).where(
        _STAFF_ORIGINS.c.staff_id == locked.c.staff_id,
        _STAFF_ORIGINS.c.origin == locked.c.origin,
    )
    return len((await session.execute(gone.returning(_STAFF_ORIGINS.c.staff_id))).all())


def _derived(staff_id: PersonId, origin: str) -> str:
    return derived_id("origin", staff_id, origin)
