"""Work items: opened and settled as orders' facts say, escalated by time, read by staff.

Every method that takes a fact survives a repeat by an inbox row, written with the effect.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.base import Event
from contracts.orders import OrderAddressChecked, OrderClosed, OrderPaid
from contracts.people import OrderId, ShopId, WorkId
from contracts.work import WorkAssigned, WorkKind
from kit import inbox, outbox, timers
from kit.admission import Admission
from kit.errors import NotFound
from kit.postgres import Database
from kit.timers import Timer
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page
from services.aftersales.work import domain, repository
from services.aftersales.work.domain import WorkItem, WorkState
from services.aftersales.work.models import WorkItemRow
from services.aftersales.work.playbook import WorkPlaybook
from services.aftersales.work.schemas import WorkFilter, WorkItemView

TASKS: Final = "aftersales.tasks"

ADDRESS_CHECK: Final = "address_check"
"""The timer of an order whose buyer did not answer: when he is asked again."""

OVERDUE: Final = "work_overdue"
"""The timer of an open item: when it escalates."""

BY_OPENING: Final[paging.Order[WorkItemRow, tuple[datetime, str]]] = paging.by_time(
    lambda row: row.opened_at
)


class WorkReading:
    """Reads in one snapshot each."""

    def __init__(self, database: Database, admission: Admission, cursors: Cursors) -> None:
        self._db = database
        self._admission = admission
        self._cursors = cursors

    async def page(self, principal: Principal, query: WorkFilter) -> Page[WorkItemView]:
        """Return a page of the shop's work items, newest first."""
        shop_id = ShopId(principal.shop_id)
        page = paging.page(self._cursors, query, by=BY_OPENING, shop_id=shop_id, list_name="work")
        async with self._db.read(shop_id) as session:
            rows = await repository.work_items(
                session,
                shop_id=shop_id,
                state=query.state,
                order_id=query.order_id,
                agent_id=query.agent_id,
                below=page.after,
                limit=page.limit,
            )
        return page.show(rows, WorkItemView.model_validate)

    async def read(self, principal: Principal, work_id: WorkId) -> WorkItemView:
        """Return a work item. Raises `NotFound`."""
        await self._admission.admit(principal, work_id, repository.owner_of_work)
        async with self._db.read(principal.shop_id) as session:
            row = await repository.find_work(session, work_id)
        if row is None:
            raise NotFound
        return WorkItemView.model_validate(row)


class WorkFacts:
    """Takes facts of other services, each in one transaction."""

    def __init__(self, database: Database, playbook: WorkPlaybook) -> None:
        self._db = database
        self._playbook = playbook

    async def open_address_check(self, event: OrderPaid) -> None:
        """Ask for the address check that must precede printing (capability O2)."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, TASKS, event.id):
                return
            item = domain.work_item(
                event.order_id,
                WorkKind.VERIFY_ADDRESS,
                1,
                shop_id=event.shop_id,
                buyer_id=event.buyer_id,
            )
            await _open(session, item, self._playbook)

    async def settle_address_check(self, event: OrderAddressChecked) -> None:
        """Settle the open check; nobody answered and it is not final: ask again when it is time."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, TASKS, event.id):
                return
            settled = await self._settle_all(session, event.order_id, event.result.value)
            if settled and not event.final:
                again_at = event.ask_again_at or event.time
                again = Timer(ADDRESS_CHECK, event.order_id, event.shop_id, again_at)
                await timers.start(session, again)

    async def drop_work(self, event: OrderClosed) -> None:
        """Settle what is open: a closed order needs no more work."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, TASKS, event.id):
                return
            await self._settle_all(session, event.order_id, "order_closed")

    async def note_assignment(self, event: WorkAssigned) -> None:
        """Note which agent has the work, and which senior beside him."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, TASKS, event.id):
                return
            await repository.assign_work(
                session,
                event.work_id,
                event.agent_id,
                senior_id=event.also,
                version=event.version,
            )

    async def _settle_all(
        self, session: AsyncSession, order_id: OrderId, outcome: str
    ) -> list[WorkItem]:
        rows = await repository.lock_work_of(session, [order_id])
        at = await timers.now(session)
        settled: list[WorkItem] = []
        told: list[Event] = []
        for row in rows:
            if row.state == WorkState.OPEN:
                repository.settle_work(row, outcome, at=at)
                settled.append(item := repository.work_facts(row))
                told.append(domain.settle_work(item, outcome, at=at))
        await timers.cancel(session, ADDRESS_CHECK, [order_id])
        await timers.cancel(session, OVERDUE, [item.id for item in settled])
        await outbox.add(session, *told)
        return settled


class WorkDeadlines:
    """What time alone brings to work. Each method acts on those whose timer it takes."""

    def __init__(self, database: Database, playbook: WorkPlaybook) -> None:
        self._db = database
        self._playbook = playbook

    async def check_address_again(self, shop_id: ShopId, order_ids: Sequence[OrderId]) -> None:
        """Open the next address check of orders whose buyers did not answer the last one."""
        async with self._db.write(shop_id) as session:
            rows = await repository.lock_work_of(session, order_ids)
            due = await timers.take(session, ADDRESS_CHECK, order_ids)
            newest = {row.order_id: row for row in rows if row.order_id in due}
            for row in newest.values():
                if row.state == WorkState.SETTLED:
                    item = domain.next_attempt(repository.work_facts(row))
                    await _open(session, item, self._playbook)

    async def escalate(self, shop_id: ShopId, work_ids: Sequence[WorkId]) -> None:
        """Escalate open items that are past their due time, and say so."""
        async with self._db.write(shop_id) as session:
            rows = await repository.lock_work(session, work_ids)
            due = await timers.take(session, OVERDUE, work_ids)
            at = await timers.now(session)
            told: list[Event] = []
            following: list[Timer] = []
            for row in rows:
                if row.id not in due or row.state != WorkState.OPEN:
                    continue
                item, event = domain.escalate(repository.work_facts(row), at=at, due_at=row.due_at)
                row.level = item.level
                told.append(event)
                next_at = self._playbook.escalate_at(at, level=item.level)
                if next_at is not None:
                    following.append(Timer(OVERDUE, item.id, shop_id, next_at))
            await timers.start(session, *following)
            await outbox.add(session, *told)


async def _open(session: AsyncSession, item: WorkItem, playbook: WorkPlaybook) -> None:
    at = await timers.now(session)
    due_at = playbook.check_address_by(at)
    if await repository.open_work(session, item, at=at, due_at=due_at):
        await timers.start(session, Timer(OVERDUE, item.id, item.shop_id, due_at))
        await outbox.add(session, domain.open_work(item, at=at, due_at=due_at))
