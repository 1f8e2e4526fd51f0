"""What other services' facts mean here: payments are noted, address checks opened and settled.

Every method survives a repeat by an inbox row of its group, written with the effect.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.aftersales import WorkKind
from contracts.base import Event
from contracts.conversation import WorkAssigned
from contracts.orders import OrderAddressChecked, OrderClosed, OrderEvent, OrderPaid
from contracts.people import OrderId
from kit import inbox, outbox
from kit.postgres import Database
from services.aftersales import domain, repository
from services.aftersales.domain import WorkItem
from services.aftersales.models import PaymentRow
from services.aftersales.playbook import Playbook

TASKS: Final = "aftersales.tasks"
PAYMENTS: Final = "aftersales.payments"


class Facts:
    """Takes facts of other services, each in one transaction."""

    def __init__(self, database: Database, playbook: Playbook) -> None:
        self._db = database
        self._playbook = playbook

    async def note_payment(self, event: OrderPaid) -> None:
        """Note what was paid: the ceiling of every refund of this order."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, PAYMENTS, event.id):
                return
            payment = PaymentRow(
                order_id=event.order_id,
                shop_id=event.shop_id,
                buyer_id=event.buyer_id,
                external_id=event.external_id,
                paid_fen=event.paid_fen,
                currency=event.currency,
                paid_at=event.paid_at,
            )
            await repository.note_payment(session, payment)

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
        at = await repository.now(session)
        due_at = self._playbook.check_address_by(at, attempt=attempt)
        if await repository.open_work(session, item, at=at, due_at=due_at):
            await outbox.add(session, domain.open_work(item, at=at, due_at=due_at))

    async def _settle_all(
        self, session: AsyncSession, order_id: OrderId, outcome: str
    ) -> list[WorkItem]:
        at = await repository.now(session)
        settled: list[WorkItem] = []
        told: list[Event] = []
        for row in await repository.lock_open_work(session, order_id):
            repository.settle_work(row, outcome, at=at)
            settled.append(item := repository.work_facts(row))
            told.append(domain.settle_work(item, outcome, at=at))
        await outbox.add(session, *told)
        return settled
