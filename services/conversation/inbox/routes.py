"""The route of one's own inbox."""

from fastapi import APIRouter

from kit.web.auth import Caller
from services.conversation.access.routes import versioned
from services.conversation.inbox.schemas import InboxView
from services.conversation.inbox.service import Inboxes


def routes(inboxes: Inboxes) -> APIRouter:
    """Return the route /v1/inbox."""
    router = versioned("conversations")

    @router.get("/inbox")
    async def read_inbox(principal: Caller) -> InboxView:
        """Read one's open conversations and work, each with its version.

        Staff see each conversation with its last words, since when its buyer waits for them, and
        how many of his words are new to them.
        """
        return await inboxes.read(principal)

    return router
