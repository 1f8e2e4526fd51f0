"""Work items of other services: opened there, routed here like a conversation, settled there."""

from dataclasses import dataclass, replace
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId, SkillGroupId
from contracts.work import ORDER, WorkEscalated, WorkOpenedV2, WorkSettled, WorkSettledV2
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
            known = await repository.lock_work(session, [event.work_id])
            before = known[0] if known else None
            if before is not None and (before.settled or before.is_opened):
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
                level=before.level if before else event.level,
                owner_version=before.owner_version if before else event.owner_version,
            )
            await repository.save_work(session, item)
            await self.routing.fill(session, event.shop_id, "work_opened")

    async def escalated(self, event: WorkEscalated) -> None:
        """Bring a senior beside the holder of overdue work; of what waits, when it has a holder.

        A repeat finds its inbox row and does nothing; so does what its owner said before a word
        that is known here, and what comes behind its end (B42).
        """
        async with self.turns.write(event.shop_id) as session:
            if await inbox.seen(session, CONSUMER, event.id):
                return
            known = await repository.lock_work(session, [event.work_id])
            item = known[0] if known else _unseen(event)
            if item.settled or event.owner_version <= item.owner_version:
                return
            raised = replace(item, level=event.level, owner_version=event.owner_version)
            await repository.save_work(session, raised)
            await self.routing.accompany(session, event.shop_id, event.work_id, "work_escalated")

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


def _unseen(event: Settled | WorkEscalated) -> WorkItem:
    """Return the item of an event that came before it was opened here."""
    subject = None if isinstance(event, WorkSettled) else event.subject
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
        due_at=event.due_at if isinstance(event, WorkEscalated) else event.time,
        waiting_since=None,
    )
