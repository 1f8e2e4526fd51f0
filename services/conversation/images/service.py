"""Takes pictures from whoever may write in a conversation, and shows them to whoever may read it.

Must not know how a picture is opened, nor where it is kept.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import Role
from kit.admission import Admission
from kit.clock import Clock
from kit.errors import Forbidden, NotFound
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.postgres import Database
from kit.web.auth import Principal
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.visibility import owner_of, visible
from services.conversation.domain import known_form
from services.conversation.images.cleaning import Cleaner
from services.conversation.images.domain import Kept, Shown
from services.conversation.images.limits import PictureLimits
from services.conversation.images.repository import BlobRows
from services.conversation.images.schemas import PictureView


class NoSeat(Forbidden):
    """Of staff, who holds a conversation writes to its buyer, and nobody else."""

    slug, title = "no_seat", "You do not hold this conversation"


class Blobs(Protocol):
    """Where pictures are kept: one place for all processes, in the transaction of the use case."""

    async def put(self, session: AsyncSession, picture: Kept) -> None:
        """Keep a picture."""
        ...

    async def get(
        self, session: AsyncSession, conversation_id: str, picture_id: str
    ) -> Shown | None:
        """Return a picture of this conversation; None: it has no such one."""
        ...

    async def drop_unnamed(
        self, session: AsyncSession, made_before: datetime, *, limit: int
    ) -> int:
        """Drop what was made before this and no message names; return how many that was."""
        ...

    async def forget(self, session: AsyncSession, made_before: datetime, *, limit: int) -> int:
        """Drop what has had its time; return how many that was."""
        ...


@dataclass(frozen=True)
class Pictures:
    """The use cases."""

    db: Database
    admission: Admission
    blobs: Blobs
    cleaner: Cleaner
    limits: PictureLimits
    clock: Clock
    ids: Ids

    @classmethod
    def in_rows(cls, db: Database, admission: Admission, *, clock: Clock, ids: Ids) -> "Pictures":
        """Return the use cases over pictures that are kept as rows."""
        return cls(db, admission, BlobRows(), Cleaner(), PictureLimits(clock), clock, ids)

    async def add(
        self, principal: Principal, conversation_id: str, *, given: bytes, key: CommandKey
    ) -> PictureView:
        """Make a picture anew, keep it and return its address.

        It is opened before the transaction begins, which is held for the row alone. Raises
        `NotFound`, `NoSeat`, `TooMany`, `NoPicture`, `TooManyPixels`, `Unavailable`.
        """
        async with self._seen(principal, conversation_id) as (_, conversation):
            if principal.role != Role.BUYER and conversation.agent_id != principal.subject:
                raise NoSeat
        self.limits.send(principal)
        picture = await self.cleaner.clean(given)
        self.limits.keep(principal.shop_id, len(picture.content))
        kept = Kept(
            id=self.ids.new(),
            shop_id=conversation.shop_id,
            conversation_id=conversation.id,
            uploader_id=principal.subject,
            media_type=picture.media_type,
            content=picture.content,
            made_at=self.clock.now(),
        )
        async with self.db.keyed(key) as command:
            await self.blobs.put(command.session, kept)
            return await command.keep(
                PictureView(
                    id=kept.id,
                    url=f"/v1/images/{conversation.id}/{kept.id}",
                    width=picture.width,
                    height=picture.height,
                )
            )

    async def one(self, principal: Principal, conversation_id: str, picture_id: str) -> Shown:
        """Return a picture of a conversation that the caller may read. Raises `NotFound`."""
        async with self._seen(principal, conversation_id) as (session, conversation):
            found = await self.blobs.get(session, conversation.id, known_form(picture_id))
            if found is None:
                raise NotFound
        return found

    @asynccontextmanager
    async def _seen(
        self, principal: Principal, conversation_id: str
    ) -> AsyncIterator[tuple[AsyncSession, Conversation]]:
        watched = self.admission.watched(principal, conversation_id, owner_of)
        async with watched, self.db.read(principal.shop_id) as session:
            found = await conversations.find(session, known_form(conversation_id))
            yield session, visible(found, principal)
