"""Work items of other services: opened there, routed here like a conversation, settled there."""

from dataclasses import dataclass, replace
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId, SkillGroupId
from contracts.work import ORDER, WorkOpenedV2, WorkSettled, WorkSettledV2
from kit import inbox
from services.conversation.groups import repository as skill_groups
from services.conversation.routing import repository
from services.conversation.routing.domain import WorkItem
from services.conversation.routing.service import Routing
from services.conversation.turns import Turns

CONSUMER = "conversation.routing"

USUAL_GROUP = "in_sale"
"""Work that names no group goes here, where the shop has one."""

Settled: TypeAlias = WorkSettled | WorkSettledV2


@dataclass(frozen=True)
class Work:
    """Use cases of the routing consumer; each handler is one transaction with its inbox row."""

    turns: Turns
    routing: Routing

    async def opened(self, event: WorkOpenedV2) -> None:
        """Route a new piece of work. A repeat finds its inbox row and does nothing."""
        async with self.turns.write(event.shop_id) as session:
            if await inbox.seen(session, CONSUMER, event.id):
                return
            if await repository.lock_work(session, [event.work_id]):
                return  # settled before it was seen here
            item = WorkItem(
                id=event.work_id,
                shop_id=event.shop_id,
                kind=event.kind,
                subject_kind=event.subject.kind,
                subject_id=event.subject.id,
                order_id=event.order_id,
                buyer_id=event.buyer_id,
                role=event.role,
                skill_group_id=await _group_of(session, event) if event.role is None else None,
                due_at=event.due_at,
                waiting_since=self.routing.stamp().at,
            )
            await repository.save_work(session, item)
            await self.routing.fill(session, event.shop_id, "work_opened")

    async def settled(self, event: Settled) -> None:
        """Free the agent's slot. A repeat finds its inbox row and does nothing."""
        async with self.turns.write(event.shop_id) as session:
            if await inbox.seen(session, CONSUMER, event.id):
                return
            known = await repository.lock_work(session, [event.work_id])
            item = known[0] if known else _unseen(event)
            await repository.save_work(session, replace(item, settled=True, waiting_since=None))
            await self.routing.fill(session, event.shop_id, "slot_free")


async def _group_of(session: AsyncSession, event: WorkOpenedV2) -> SkillGroupId | None:
    """Return the group that the work names by its code or id, else the usual one of the shop."""
    groups = await skill_groups.groups_of_shop(session, ShopId(event.shop_id))
    named = {group.id: group.id for group in groups} | {group.code: group.id for group in groups}
    return named.get(event.skill_group or USUAL_GROUP) or named.get(USUAL_GROUP)


def _unseen(event: Settled) -> WorkItem:
    """Return the item of an event that came before it was opened here."""
    subject = event.subject if isinstance(event, WorkSettledV2) else None
    return WorkItem(
        id=event.work_id,
        shop_id=event.shop_id,
        kind=event.kind,
        subject_kind=subject.kind if subject else ORDER,
        subject_id=subject.id if subject else event.order_id or "",
        order_id=event.order_id,
        buyer_id=None,
        role=None,
        skill_group_id=None,
        due_at=event.time,
        waiting_since=None,
    )
