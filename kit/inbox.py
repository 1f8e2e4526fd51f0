"""The inbox: an event takes effect once per consumer, because its row is inserted with the effect.

Knows no event; the identity is the event's id, never its offset.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

KEPT: Final = timedelta(days=35)
"""Longer than any topic that is consumed through an inbox keeps its records (30 days)."""

_SEEN: Final = text(
    "insert into inbox (consumer, event_id) values (:consumer, :event_id) on conflict do nothing"
    " returning 1"
)
_SEEN_ALL: Final = text(
    "insert into inbox (consumer, event_id)"
    " select :consumer, id from unnest(cast(:ids as text[])) as e (id) order by id"
    " on conflict do nothing returning event_id"
)
_FORGET: Final = text(
    "delete from inbox where ctid = any(array("
    "select ctid from inbox where seen_at < now() - cast(:kept as interval) limit :limit))"
)


async def seen(session: AsyncSession, consumer: str, event_id: str) -> bool:
    """Tell whether this consumer has had this event; if not, it has from this commit on.

    A twin that is still uncommitted elsewhere is waited for, within the statement timeout.
    """
    inserted = await session.execute(_SEEN, {"consumer": consumer, "event_id": event_id})
    return inserted.scalar() is None


async def unseen(session: AsyncSession, consumer: str, event_ids: Iterable[str]) -> set[str]:
    """Return those of these events that this consumer has not had; it has from this commit on.

    Twins that are still uncommitted elsewhere are waited for, as `seen` does.
    """
    values = {"consumer": consumer, "ids": sorted(set(event_ids))}
    return set(await session.scalars(_SEEN_ALL, values))


async def forget(session: AsyncSession, *, limit: int = 5000) -> int:
    """Delete at most `limit` rows older than `KEPT`; return how many."""
    gone = await session.execute(_FORGET, {"kept": KEPT, "limit": limit})
    return int(getattr(gone, "rowcount", 0))
