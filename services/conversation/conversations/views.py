"""How conversations are shown: with what the one who looks may see of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationState, Role
from kit.web.auth import Principal
from services.conversation.buyers import repository as buyers
from services.conversation.buyers.domain import Buyer
from services.conversation.conversations import clock
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.schemas import BuyerView, ConversationView, ServedBy
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import AT_DESK


async def views(
    session: AsyncSession,
    found: Sequence[Conversation],
    principal: Principal,
    *,
    waits: Mapping[str, datetime | None] | None = None,
) -> list[ConversationView]:
    """Show conversations to somebody who may see them, with what he may see of their buyers.

    Since when a buyer waits says the archive alone, of queued ones too: the queue's own column is
    the moment at which he came, before he has said a word (H37). `waits` is what it said, by
    conversation, where the caller has asked it already.
    """
    known = await buyers.find_buyers(session, [one.buyer_id for one in found])
    if waits is None:
        still_open = [one.id for one in found if one.state is not ConversationState.CLOSED]
        waits = await clock.waiting_since(session, still_open)
    return [
        shown(
            one,
            known.get(one.buyer_id) or _nobody(one),
            principal,
            waiting_since=waits.get(one.id),
        )
        for one in found
    ]


async def view(
    session: AsyncSession, found: Conversation, principal: Principal
) -> ConversationView:
    """Show one conversation."""
    return (await views(session, [found], principal))[0]


async def for_buyer(
    session: AsyncSession, found: Conversation, principal: Principal
) -> ConversationView:
    """Show a buyer his conversation, with who serves him, or how many are before him."""
    seen = await view(session, found, principal)
    if found.agent_id is not None:
        agent = await staff.find_agent(session, found.agent_id)
        if agent is None:
            return seen
        is_there = found.is_taken or agent.state in AT_DESK
        served = ServedBy(name=agent.name, online=is_there)
        return seen.model_copy(update={"agent": served})
    if found.state is ConversationState.QUEUED:
        return seen.model_copy(update={"ahead": await conversations.ahead_of(session, found)})
    return seen


def _nobody(found: Conversation) -> Buyer:
    """Return a buyer without a profile: a missing row must not hide a shop's other chats."""
    return Buyer(id=found.buyer_id, shop_id=found.shop_id, name="")


def shown(
    found: Conversation, buyer: Buyer, principal: Principal, *, waiting_since: datetime | None
) -> ConversationView:
    """Show a conversation whose buyer, and since when he waits, the caller knows."""
    whole = principal.subject == found.buyer_id
    works_with = whole or principal.subject == found.agent_id
    shown = buyer if whole else buyer.masked()
    return ConversationView(
        id=found.id,
        shop_id=found.shop_id,
        buyer_id=found.buyer_id,
        buyer=BuyerView(
            id=buyer.id,
            name=shown.name,
            external_id=shown.external_id if works_with else None,
            phone=shown.phone,
            address=shown.address,
            masked=not whole,
        ),
        skill_group_id=found.skill_group_id,
        state=found.state,
        stage=found.stage,
        version=found.version,
        assignment_version=found.assignment_version,
        agent_id=found.agent_id,
        mode=None if principal.role == Role.BUYER else found.mode,
        subject=found.subject,
        order_id=found.order_id,
        opened_at=found.opened_at,
        waiting_since=waiting_since,
        closed_at=found.closed_at,
        score=found.score,
    )
