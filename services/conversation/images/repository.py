"""Pictures in PostgreSQL: one machine and a cluster are the same. Knows no rule."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.conversation.images.domain import Kept, Shown

_PUT: Final = text(
    """
    insert into images
        (id, shop_id, conversation_id, uploader_id, media_type, sha256, content, made_at)
    values (:id, :shop, :conversation, :uploader, :media_type, :sha256, :content, :made_at)
    """
)

_GET: Final = text(
    """
    select media_type, sha256, content from images
    where id = :id and conversation_id = :conversation
    """
)

_NAMED: Final = text(
    """
    update images set named = true where id = any(array(
        select id from images where id = any(cast(:ids as uuid[])) and not named
        order by id for update
    ))
    """
)

_UNNAMED: Final = text(
    """
    delete from images where id = any(array(
        select id from images where not named and made_at < :before
        order by made_at limit :limit for update skip locked
    ))
    """
)

_FORGOTTEN: Final = text(
    """
    delete from images where id = any(array(
        select id from images where made_at < :before
        order by made_at limit :limit for update skip locked
    ))
    """
)


class BlobRows:
    """Pictures as rows."""

    async def put(self, session: AsyncSession, picture: Kept) -> None:
        """Keep a picture."""
        row = {
            "id": picture.id,
            "shop": picture.shop_id,
            "conversation": picture.conversation_id,
            "uploader": picture.uploader_id,
            "media_type": picture.media_type,
            "sha256": hashlib.sha256(picture.content).digest(),
            "content": picture.content,
            "made_at": picture.made_at,
        }
        await session.execute(_PUT, row)

    async def get(
        self, session: AsyncSession, conversation_id: str, picture_id: str
    ) -> Shown | None:
        """Return a picture of this conversation; None: it has no such one."""
        query = {"id": picture_id, "conversation": conversation_id}
        row = (await session.execute(_GET, query)).one_or_none()
        if row is None:
            return None
        return Shown(row.media_type, bytes(row.sha256).hex(), bytes(row.content))

    async def drop_unnamed(
        self, session: AsyncSession, made_before: datetime, *, limit: int
    ) -> int:
        """Drop what was made before this and no message names; return how many that was."""
        return await _gone(session, _UNNAMED, made_before, limit=limit)

    async def forget(self, session: AsyncSession, made_before: datetime, *, limit: int) -> int:
        """Drop what has had its time; return how many that was."""
        return await _gone(session, _FORGOTTEN, made_before, limit=limit)


async def name(session: AsyncSession, ids: Sequence[str]) -> None:
    """Note that messages name these pictures, as far as there are such ones."""
    await session.execute(_NAMED, {"ids": list(ids)})


async def _gone(
    session: AsyncSession, statement: TextClause, made_before: datetime, *, limit: int
) -> int:
    gone = await session.execute(statement, {"before": made_before, "limit": limit})
    return cast("CursorResult[Any]", gone).rowcount
