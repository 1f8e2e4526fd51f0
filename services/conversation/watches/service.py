"""Leaves a trace of who looks at a conversation that he neither owns nor queues for (F10).

Beside the answer, never in its way: a trace that cannot be written is logged.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from contracts.people import ConversationState
from kit.audit import Audit
from kit.errors import AppError
from kit.postgres import Database
from kit.web.auth import Principal
from services.conversation.conversations import repository as conversations
from services.conversation.domain import known_form

WATCHED: Final = "conversation_watched"
"""What the audit calls it."""

log: Final = structlog.get_logger("conversation.watches")


@dataclass(frozen=True)
class Watches:
    """The use case."""

    db: Database
    audit: Audit

    async def note(self, principal: Principal, conversation_id: str) -> None:
        """Note once an hour that somebody watches; who waits in the queue is everybody's."""
        try:
            async with self.db.write(principal.shop_id) as session:
                found = await conversations.find(session, known_form(conversation_id))
                if found is None or found.state is ConversationState.QUEUED:
                    return
                shop_id = found.shop_id
                await self.audit.note_hourly(session, principal, WATCHED, found.id, shop_id=shop_id)
        except AppError as away:
            log.warning("watch.unnoted", reason=away.slug)
