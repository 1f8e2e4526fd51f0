"""What somebody says to an offer, over REST."""

from typing import Annotated

from fastapi import APIRouter, Path

from kit.web.idempotency import VersionedKey
from services.conversation.access.routes import (
    Chatting,
    CommandLimits,
    ConversationPath,
    versioned,
)
from services.conversation.conversations.schemas import ConversationView
from services.conversation.handoffs.service import Offers

OfferPath = Annotated[str, Path(max_length=64)]


def routes(offers: Offers, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/conversations/{id}/offers."""
    router = versioned("conversations")

    @router.post("/conversations/{conversation_id}/offers/{offer_id}/accept")
    async def accept_offer(
        *,
        principal: Chatting,
        key: VersionedKey,
        conversation_id: ConversationPath,
        offer_id: OfferPath,
    ) -> ConversationView:
        """Answer a colleague's buyer in his place, before the wait is too long."""
        limits.spend(principal)
        return await offers.accept(principal, conversation_id, offer_id, key=key)

    @router.post("/conversations/{conversation_id}/offers/{offer_id}/decline")
    async def decline_offer(
        *,
        principal: Chatting,
        key: VersionedKey,
        conversation_id: ConversationPath,
        offer_id: OfferPath,
    ) -> ConversationView:
        """Leave a buyer whom one was offered to others; nobody counts it."""
        limits.spend(principal)
        return await offers.decline(principal, conversation_id, offer_id, key=key)

    return router
