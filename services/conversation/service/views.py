"""How conversations and people are shown: with what the one who looks may see of them."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from kit.web.auth import Principal
from services.conversation.domain.conversations import Conversation
from services.conversation.domain.people import Agent, Buyer, Shop
from services.conversation.repository import people
from services.conversation.schemas.conversations import BuyerView, ConversationView
from services.conversation.schemas.people import AgentView, ShopView, StaffView


async def views(
    session: AsyncSession, found: Sequence[Conversation], principal: Principal
) -> list[ConversationView]:
    """Show conversations to somebody who may see them, with what he may see of their buyers."""
    buyers = await people.find_buyers(session, [one.buyer_id for one in found])
    return [_view(one, buyers.get(one.buyer_id) or _nobody(one), principal) for one in found]


async def view(
    session: AsyncSession, found: Conversation, principal: Principal
) -> ConversationView:
    """Show one conversation."""
    return (await views(session, [found], principal))[0]


def shop_view(shop: Shop, secret: str | None = None) -> ShopView:
    """Show a shop, and its secret to whoever has just created it."""
    return ShopView(
        id=shop.id,
        name=shop.name,
        time_zone=shop.time_zone,
        active=shop.active,
        version=shop.version,
        policy=shop.policy,
        secret=secret,
    )


def staff_view(agent: Agent, groups: Mapping[str, str]) -> StaffView:
    """Show a member of staff; `groups` maps ids of skill groups to their codes."""
    return StaffView(
        id=agent.id,
        login=agent.login,
        name=agent.name,
        role=agent.role,
        active=agent.active,
        capacity=agent.capacity,
        skill_groups=tuple(sorted(groups[one] for one in agent.skill_group_ids)),
        state=agent.state,
        state_since=agent.state_since,
        version=agent.version,
    )


def agent_view(agent: Agent) -> AgentView:
    """Show a member of staff to colleagues."""
    return AgentView(
        id=agent.id,
        name=agent.name,
        role=agent.role,
        state=agent.state,
        state_since=agent.state_since,
        version=agent.state_version,
    )


def _nobody(found: Conversation) -> Buyer:
    """Return a buyer without a profile: a missing row must not hide a shop's other chats."""
    return Buyer(id=found.buyer_id, shop_id=found.shop_id, name="")


def _view(found: Conversation, buyer: Buyer, principal: Principal) -> ConversationView:
    works_with = principal.subject in {found.agent_id, found.buyer_id}
    shown = buyer if works_with else buyer.masked()
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
            masked=not works_with,
        ),
        skill_group_id=found.skill_group_id,
        state=found.state,
        stage=found.stage,
        version=found.version,
        assignment_version=found.assignment_version,
        agent_id=found.agent_id,
        subject=found.subject,
        order_id=found.order_id,
        opened_at=found.opened_at,
        waiting_since=found.waiting_since,
        closed_at=found.closed_at,
        score=found.score,
    )
