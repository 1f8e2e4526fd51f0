"""What other services' facts mean for orders: refunds interlock them, work says who may see them.

Every method survives a repeat by an inbox row, and an old version by the version kept (H7).
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from contracts.aftersales import CaseEvent, CaseRefunded, CaseRequested, CaseReviewed, WorkSettled
from contracts.conversation import WorkAssigned
from kit import inbox, outbox
from kit.clock import Clock
from kit.errors import Dead
from kit.postgres import Database
from services.orders import domain, interlocks, repository
from services.orders.domain import Lock, LockKind, Order, Outcome

GROUP = "orders.settlements"


class Facts:
    """Takes facts of other services, each in one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def refund_requested(self, event: CaseRequested) -> None:
        """A refund is open: the order must not be printed until it is settled."""
        at, lock = self._clock.now(), _lock_of(event)
        await self._apply(event, partial(interlocks.set_lock, lock=lock, at=at), at)

    async def refund_reviewed(self, event: CaseReviewed) -> None:
        """A rejected refund no longer holds the order back; an approved one still does."""
        if event.decision == "approve":
            return
        at, lock = self._clock.now(), _lock_of(event)
        await self._apply(event, partial(interlocks.clear_lock, lock=lock, at=at), at)

    async def refunded(self, event: CaseRefunded) -> None:
        """The money went back: a full refund closes the order, a part of it lets it go on."""
        at, lock = self._clock.now(), _lock_of(event)

        def settle(order: Order) -> Outcome:
            refunded = domain.refund(order, event.amount_fen, by=event.by, at=at)
            return refunded.then(partial(interlocks.clear_lock, lock=lock, at=at))

        await self._apply(event, settle, at)

    async def work_assigned(self, event: WorkAssigned) -> None:
        """An agent works on the order: he may see its address and answer for the check."""
        if event.order_id is None:
            return
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, GROUP, event.id):
                return
            await repository.assign_work(
                session,
                event.work_id,
                order_id=event.order_id,
                shop_id=event.shop_id,
                agent_id=event.agent_id,
                version=event.version,
            )

    async def work_settled(self, event: WorkSettled) -> None:
        """The work is over, and with it the agent's sight of the address."""
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, GROUP, event.id):
                return
            await repository.settle_work(
                session, event.work_id, order_id=event.order_id, shop_id=event.shop_id
            )

    async def _apply(
        self, event: CaseEvent, rule: Callable[[Order], Outcome], at: datetime
    ) -> None:
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, GROUP, event.id):
                return
            row = await repository.lock(session, event.order_id)
            if row is None or row.shop_id != event.shop_id:
                raise Dead("the case names an order that this shop does not have")
            lock = _lock_of(event)
            if not await repository.take_fact(
                session, event.order_id, lock, version=event.version, at=at
            ):
                return
            outcome = rule(await repository.facts(session, row))
            await repository.save(session, row, outcome.order, at=at)
            await outbox.add(session, *outcome.events)


def _lock_of(event: CaseEvent) -> Lock:
    return Lock(LockKind.REFUND_OPEN, event.case_id)
