"""The route that shows a buyer whole.

It takes no idempotency key: a kept answer would hold what is masked.
"""

from fastapi import APIRouter

from services.conversation.access.routes import AnyStaff, PersonPath, versioned
from services.conversation.reveals.schemas import Look, RevealedBuyer
from services.conversation.reveals.service import Reveals


def routes(reveals: Reveals) -> APIRouter:
    """Return the routes under /v1/buyers."""
    router = versioned("conversations")

    @router.post("/buyers/{buyer_id}/reveal")
    async def reveal_buyer(principal: AnyStaff, buyer_id: PersonPath, look: Look) -> RevealedBuyer:
        """Show a buyer's name, phone and address whole; who looked, when and why is audited."""
        return await reveals.reveal(principal, buyer_id, look)

    return router
