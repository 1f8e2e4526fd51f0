"""Who may know of a conversation, and the audit of what was done or refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import Role
from kit.clock import Clock
from kit.errors import NotFound
from kit.ids import Ids
from kit.postgres import Database
from kit.web.auth import Principal
from kit.web.limits import Strangers
from services.conversation.domain import known_form
from services.conversation.domain.conversations import Conversation
from services.conversation.repository import conversations, people
from services.conversation.repository.people import AuditEntry


@dataclass(frozen=True)
class Access:
    """Watches for callers who ask for what is not theirs, and keeps the audit (X4).

    What is another shop's and what does not exist answer alike. Whoever tries ids is answered
    `TooMany`.
    """

    db: Database
    clock: Clock
    ids: Ids
    strangers: Strangers

    @asynccontextmanager
    async def watched(self, principal: Principal, conversation_id: str) -> AsyncIterator[None]:
        """Record, and slow down, a caller for whom the block finds nothing.

        Wrap it around the transaction, not into it.
        """
        try:
            yield
        except NotFound:
            self.strangers.met(principal.subject)
            if await self._is_foreign(principal, conversation_id):
                async with self.db.write(principal.shop_id) as session:
                    await self.note(session, principal, "refused", conversation_id)
            raise

    async def note(
        self,
        session: AsyncSession,
        principal: Principal,
        action: str,
        object_id: str,
        *,
        reason: str | None = None,
    ) -> None:
        """Record who did what to which object, and why if he was asked."""
        entry = AuditEntry(
            id=self.ids.new(),
            at=self.clock.now(),
            shop_id=principal.shop_id,
            actor_id=principal.subject,
            role=principal.role,
            action=action,
            object_id=object_id,
            reason=reason,
        )
        await people.add_audit(session, entry)

    async def _is_foreign(self, principal: Principal, conversation_id: str) -> bool:
        """Tell whether a refused caller asked for something that exists and is not his."""
        try:
            known = known_form(conversation_id)
        except NotFound:
            return False
        async with self.db.read_across("whose it is") as session:
            found = await conversations.find(session, known)
        return found is not None and not may_see(found, principal)


def visible(found: Conversation | None, principal: Principal) -> Conversation:
    """Return the conversation if the caller may know of it; else `NotFound`, as if it were not.

    Staff see their whole shop, for they read what colleagues wrote (C11); buyers see their own.
    """
    if found is None or not may_see(found, principal):
        raise NotFound
    return found


def may_see(found: Conversation, principal: Principal) -> bool:
    """Tell whether the caller may know of the conversation."""
    if principal.role == Role.BUYER:
        return found.buyer_id == principal.subject
    return found.shop_id == principal.shop_id
