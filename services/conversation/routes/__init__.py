"""The public REST interface: who may call what, one transaction per command, answers as views.

Reached through the gateway alone. Knows HTTP and the use cases, never a table.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import CHATTING_STAFF, Role
from kit.errors import NotFound
from kit.postgres import Database
from kit.web.auth import Principal, require
from kit.web.idempotency import Keyed, idempotent
from kit.web.limits import Strangers
from kit.web.paging import Cursors
from services.conversation.service.conversations import is_foreign
from services.conversation.service.staff import Staff

STAFF_ROLES: Final = tuple(role for role in Role if role is not Role.BUYER)

AnyStaff = Annotated[Principal, Depends(require(*STAFF_ROLES))]
Chatting = Annotated[Principal, Depends(require(*CHATTING_STAFF))]
Leading = Annotated[Principal, Depends(require(Role.SUPERVISOR, Role.ADMIN))]
Directing = Annotated[Principal, Depends(require(*CHATTING_STAFF, Role.ADMIN))]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]
ABuyer = Annotated[Principal, Depends(require(Role.BUYER))]

Command = Callable[[AsyncSession], Awaitable[BaseModel]]


@dataclass(frozen=True)
class Once:
    """Carries a command out once per idempotency key, in one transaction with its answer."""

    db: Database

    async def __call__(
        self, principal: Principal, key: Keyed, command: Command, *, status: int = 200
    ) -> Response:
        """Return the command's answer, or the one that its key was given before."""
        async with self.db.write() as session, idempotent(session, principal, key) as slot:
            if slot.replay is not None:
                return slot.replay
            return await slot.keep(await command(session), status=status)


@dataclass(frozen=True)
class Shared:
    """What several groups of routes lean on."""

    db: Database
    cursors: Cursors
    staff: Staff
    strangers: Strangers

    @property
    def once(self) -> Once:
        """Return the way to carry out a keyed command."""
        return Once(self.db)

    @asynccontextmanager
    async def watched(self, principal: Principal, conversation_id: str) -> AsyncIterator[None]:
        """Watch for callers who ask for what is not theirs: recorded, and slowed down.

        Wrap it around the transaction, not into it.
        """
        try:
            yield
        except NotFound:
            self.strangers.met(principal.subject)
            async with self.db.write() as session:
                if await is_foreign(session, principal, conversation_id):
                    await self.staff.note(session, principal, "refused", conversation_id)
            raise


def router(tag: str) -> APIRouter:
    """Return a router of version 1."""
    return APIRouter(prefix="/v1", tags=[tag])
