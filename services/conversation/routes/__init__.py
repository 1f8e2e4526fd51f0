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
from kit.clock import Clock
from kit.errors import NotFound
from kit.postgres import Database
from kit.web.auth import Principal, require
from kit.web.idempotency import Keyed, idempotent
from kit.web.limits import KeyedBuckets, Strangers
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


STAFF_RATE: Final = 2.0
STAFF_BURST: Final = 300.0
"""Commands of a member of staff, a second and at once; then 429. Hiring a team is a burst."""

BUYER_RATE: Final = 0.1
BUYER_BURST: Final = 30.0
"""The same of a buyer, who opens, rates and closes. Each takes the shop's turn at routing and keeps
an answer under its key for a day."""

STATE_COST: Final = 5.0
POLICY_COST: Final = 30.0
"""What costs more than a command: a state routes the whole shop, a policy goes to every gateway."""


class CommandLimits:
    """How many commands a person may give: what one does must not be what all wait for."""

    def __init__(self, clock: Clock) -> None:
        self._staff = KeyedBuckets(STAFF_RATE, STAFF_BURST, clock=clock)
        self._buyers = KeyedBuckets(BUYER_RATE, BUYER_BURST, clock=clock)

    def spend(self, principal: Principal, cost: float = 1.0) -> None:
        """Count a command, before anything is done for it. Raises `TooMany`."""
        buckets = self._buyers if principal.role == Role.BUYER else self._staff
        buckets.spend(principal.subject, cost)


@dataclass(frozen=True)
class Once:
    """Carries a command out once per idempotency key, in one transaction with its answer."""

    db: Database
    commands: CommandLimits

    async def __call__(
        self, principal: Principal, key: Keyed, command: Command, *, status: int = 200
    ) -> Response:
        """Return the command's answer, or the one that its key was given before."""
        self.commands.spend(principal)
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
    commands: CommandLimits
    strangers: Strangers

    @property
    def once(self) -> Once:
        """Return the way to carry out a keyed command."""
        return Once(self.db, self.commands)

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
