"""Work items of other services: opened there, routed here like a conversation, settled there."""

from dataclasses import dataclass, replace

from contracts.people import PersonId
from contracts.work import WorkOpened, WorkSettled
from kit import inbox
from services.conversation.groups import repository as skill_groups
from services.conversation.routing import repository
from services.conversation.routing.domain import WorkItem
from services.conversation.routing.service import Routing
from services.conversation.turns import Turns

CONSUMER = "conversation.routing"

USUAL_GROUP = "in_sale"
"""Work that names no group goes here, where the shop has one."""


@dataclass(frozen=True)
class Work:
    """Use cases of the routing consumer; each handler is one transaction with its inbox row."""

    turns: Turns
    routing: Routing

    async def opened(self, event: WorkOpened) -> None:
        """Route a new piece of work. A repeat finds its inbox row and does nothing."""
        async with self.turns.write(event.shop_id) as session:
            if await inbox.seen(session, CONSUMER, event.id):
                return
            if await repository.lock_work(session, [event.work_id]):
                return  # settled before it was seen here
            groups = {
                g.code: g.id for g in await skill_groups.groups_of_shop(session, event.shop_id)
            }
            item = WorkItem(
                id=event.work_id,
                shop_id=event.shop_id,
                kind=event.kind,
                order_id=event.order_id,
                buyer_id=event.buyer_id,
                skill_group_id=event.skill_group_id or groups.get(USUAL_GROUP),
                due_at=event.due_at,
                waiting_since=self.routing.stamp().at,
            )
            await repository.save_work(session, item)
            await self.routing.fill(session, event.shop_id, "work_opened")

    async def settled(self, event: WorkSettled) -> None:
        """Free the agent's slot. A repeat finds its inbox row and does nothing."""
        async with self.turns.write(event.shop_id) as session:
            if await inbox.seen(session, CONSUMER, event.id):
                return
            known = await repository.lock_work(session, [event.work_id])
            item = known[0] if known else None
            if item is None:
                item = WorkItem(
                    id=event.work_id,
                    shop_id=event.shop_id,
                    kind=event.kind,
                    order_id=event.order_id,
                    buyer_id=PersonId(""),
                    skill_group_id=None,
                    due_at=event.time,
                    waiting_since=None,
                )
            await repository.save_work(session, replace(item, settled=True, waiting_since=None))
            await self.routing.fill(session, event.shop_id, "slot_free")
