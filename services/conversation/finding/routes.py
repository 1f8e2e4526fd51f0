"""The route that finds buyers."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.conversation.access.routes import AnyStaff, versioned
from services.conversation.finding.schemas import BuyerQuery, FoundBuyers
from services.conversation.finding.service import Finding


def routes(finding: Finding) -> APIRouter:
    """Return the route /v1/buyers."""
    router = versioned("search")

    @router.get("/buyers")
    async def find_buyers(
        principal: AnyStaff, wanted: Annotated[BuyerQuery, Query()]
    ) -> FoundBuyers:
        """Find buyers of one's shop by the beginning of a name or a whole phone; audited."""
        return await finding.buyers(principal, wanted.q)

    return router
