"""What orders' facts mean for work: address checks are opened and settled; who reads work items.

Every method that takes a fact survives a repeat by an inbox row, written with the effect.
"""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.aftersales import WorkKind
from contracts.base import Event
from contracts.conversation import WorkAssigned
from contracts.orders import OrderAddressChecked, OrderClosed, OrderEvent, OrderPaid
from contracts.people import OrderId, ShopId, WorkId
from kit import inbox, outbox, timers
from kit.admission import Admission
from kit.errors import NotFound
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page
from services.aftersales.work import domain, repository
from services.aftersales.work.domain import WorkItem
from services.aftersales.work.models import WorkItemRow
from services.aftersales.work.playbook import WorkPlaybook
from services.aftersales.work.schemas import WorkFilter, WorkItemView

TASKS: Final = "aftersales.tasks"

BY_OPENING: Final[paging.Order[WorkItemRow, tuple[datetime, str]]] = paging.by_time(
    lambda row: row.opened_at
)


class WorkReading:
    """Reads in one snapshot each."""

    def __init__(self, database: Database, admission: Admission, cursors: Cursors) -> None:
        self._db = database
        self._admission = admission
        self._cursors = cursors

    async def page(self, principal: Principal, wanted: WorkFilter) -> Page[WorkItemView]:
        """Return a page of the shop's work items, newest first."""
        shop_id = ShopId(principal.shop_id)
        query = paging.page(self._cursors, wanted, by=BY_OPENING, shop_id=shop_id, list_name="work")
        async with self._db.read(shop_id) as session:
            rows = await repository.work_items(
                session,
                shop_id=shop_id,
                state=wanted.state,
                order_id=wanted.order_id,
                agent_id=wanted.agent_id,
                below=query.after,
                limit=query.limit,
            )
        return query.show(rows, WorkItemView.model_validate)

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
            await self._open(session, event, attempt=1)

    async def settle_address_check(self, event: OrderAddressChecked) -> None:
        """Settle the open check; nobody answered and it is not final: ask again later."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, TASKS, event.id):
                return
            settled = await self._settle_all(session, event.order_id, event.result.value)
            if settled and not event.final:
                await self._open(session, event, attempt=max(i.attempt for i in settled) + 1)

    async def drop_work(self, event: OrderClosed) -> None:
        """Settle what is open: a closed order needs no more work."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, TASKS, event.id):
                return
            await self._settle_all(session, event.order_id, "order_closed")

    async def note_assignment(self, event: WorkAssigned) -> None:
        """Note which agent has the work."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, TASKS, event.id):
                return
            await repository.assign_work(
                session, event.work_id, event.agent_id, version=event.version
            )

    async def _open(self, session: AsyncSession, event: OrderEvent, *, attempt: int) -> None:
        item = domain.work_item(
            event.order_id,
            WorkKind.VERIFY_ADDRESS,
            attempt,
            shop_id=event.shop_id,
            buyer_id=event.buyer_id,
        )
        at = await timers.now(session)
        due_at = self._playbook.check_address_by(at, attempt=attempt)
        if await repository.open_work(session, item, at=at, due_at=due_at):
            await outbox.add(session, domain.open_work(item, at=at, due_at=due_at))

    async def _settle_all(
        self, session: AsyncSession, order_id: OrderId, outcome: str
    ) -> list[WorkItem]:
        at = await timers.now(session)
        settled: list[WorkItem] = []
        told: list[Event] = []
        for row in await repository.lock_open_work(session, order_id):
            repository.settle_work(row, outcome, at=at)
            settled.append(item := repository.work_facts(row))
            told.append(domain.settle_work(item, outcome, at=at))
        await outbox.add(session, *told)
        return settled
