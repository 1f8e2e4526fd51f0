"""Pictures in PostgreSQL: one machine and a cluster are the same. Knows no rule."""

import hashlib
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, text
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

_JUDGED: Final = text(
    """
    with judged as (
        select i.id, exists (
            select from conversations c
            join conversations o on o.buyer_id = c.buyer_id
            join messages m on m.conversation_id = o.id
            where c.id = i.conversation_id and m.sender_kind is not null
                and position(i.id::text in m.body) > 0
        ) as sent
        from images i
        where not i.named and i.made_at < :before
        order by i.made_at limit :limit
        for update of i skip locked
    ), kept as (
        update images set named = true
        where id in (select id from judged where sent) returning id
    ), dropped as (
        delete from images where id in (select id from judged where not sent) returning id
    )
    select (select count(*) from kept) + (select count(*) from dropped)
    """
)
"""Words that were said as a conversation ended are said in the buyer's next one."""

_FORGOTTEN: Final = text(
    """
    delete from images where id = any(array(
        select id from images where made_at < :before order by made_at limit :limit
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

    async def judge(self, session: AsyncSession, made_before: datetime, *, limit: int) -> int:
        """Look once whether a message names each; drop the others, return how many were seen."""
        seen = await session.execute(_JUDGED, {"before": made_before, "limit": limit})
        return int(seen.scalar_one())

    async def forget(self, session: AsyncSession, made_before: datetime, *, limit: int) -> int:
        """Drop what has had its time; return how many that was."""
        gone = await session.execute(_FORGOTTEN, {"before": made_before, "limit": limit})
        return cast("CursorResult[Any]", gone).rowcount
