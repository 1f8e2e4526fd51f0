"""The route that looks for words in chats."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.conversation.access.routes import AnyStaff, versioned
from services.conversation.search.limits import SearchLimits
from services.conversation.search.schemas import FoundView, SearchQuery
from services.conversation.search.service import Search


def routes(search: Search, limits: SearchLimits) -> APIRouter:
    """Return the routes under /v1/search."""
    router = versioned("search")

    @router.get("/search/messages")
    async def search_messages(
        principal: AnyStaff, wanted: Annotated[SearchQuery, Query()]
    ) -> FoundView:
        """Look for words in what was said in one's shop, newest first; recorded in the audit.

        Two characters or more; of Latin words whole ones. A search has a quarter of a second: what
        it has found by then is answered as `partial`.
        """
        limits.spend(principal)
        return await search.messages(principal, wanted)

    return router
