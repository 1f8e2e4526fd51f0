"""The rows of quick replies. Knows no rule."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.conversation.phrases.domain import OF_THE_SHOP, Phrase, PhraseList

_VERSIONS: Final = text(
    "select owner, version from phrase_lists where shop_id = :shop and owner = any(:owners)"
)

_PHRASES: Final = text(
    """
    select owner, id, title, words, uses from phrases
    where shop_id = :shop and owner = any(:owners) order by owner, place
    """
)

_LOCK: Final = text(
    """
    insert into phrase_lists (shop_id, owner, version, changed_at)
    values (:shop, :owner, 0, :at)
    on conflict (shop_id, owner) do update set changed_at = excluded.changed_at
    returning version
    """
)
"""An update that changes nothing of note locks the row, also one that was not there."""

_RAISE: Final = text(
    "update phrase_lists set version = version + 1 where shop_id = :shop and owner = :owner"
)

_DROP: Final = text(
    """
    delete from phrases
    where shop_id = :shop and owner = :owner and id <> all(cast(:ids as uuid[]))
    """
)

_KEEP: Final = text(
    """
    insert into phrases (id, shop_id, owner, place, title, words)
    select i.id, :shop, :owner, i.place, i.title, i.words
    from unnest(cast(:ids as uuid[]), cast(:titles as text[]), cast(:words as text[]))
        with ordinality as i (id, title, words, place)
    on conflict (id) do update
    set place = excluded.place, title = excluded.title, words = excluded.words
    """
)

_USE: Final = text(
    """
    update phrases set uses = uses + 1
    where id = :id and shop_id = :shop and owner in (:owner, :shops)
    returning uses
    """
)


async def lists(
    session: AsyncSession, shop_id: str, owners: Sequence[str]
) -> dict[str, PhraseList]:
    """Return the lists of these owners, also of those who have written none."""
    query = {"shop": shop_id, "owners": list(owners)}
    found: dict[str, list[Phrase]] = {owner: [] for owner in owners}
    for row in await session.execute(_PHRASES, query):
        found[row.owner].append(Phrase(str(row.id), row.title, row.words, row.uses))
    versions = {row.owner: row.version for row in await session.execute(_VERSIONS, query)}
    return {
        owner: PhraseList(versions.get(owner, 0), tuple(phrases))
        for owner, phrases in found.items()
    }


async def lock(session: AsyncSession, shop_id: str, owner: str, *, at: datetime) -> int:
    """Keep others from writing this list until the transaction ends; return its version."""
    locked = await session.execute(_LOCK, {"shop": shop_id, "owner": owner, "at": at})
    return int(locked.scalar_one())


async def replace(
    session: AsyncSession, shop_id: str, owner: str, *, phrases: Sequence[Phrase]
) -> None:
    """Make a locked list the one of these phrases, whose counts go on, and raise its version."""
    query = {"shop": shop_id, "owner": owner, "ids": [one.id for one in phrases]}
    await session.execute(_DROP, query)
    texts = {"titles": [one.title for one in phrases], "words": [one.words for one in phrases]}
    await session.execute(_KEEP, query | texts)
    await session.execute(_RAISE, {"shop": shop_id, "owner": owner})


async def use(session: AsyncSession, shop_id: str, owner: str, *, phrase_id: str) -> int | None:
    """Count that somebody took a phrase of his own list, or of the shop's; None: there is none."""
    query = {"id": phrase_id, "shop": shop_id, "owner": owner, "shops": OF_THE_SHOP}
    uses: int | None = (await session.execute(_USE, query)).scalar()
    return uses
