"""What moves an order on: commands of people, and other services' facts that hold or close it.

Each locks the order first; rules decide. A repeat of a command answers the first answer, a repeat
of a fact is stopped by an inbox row, and an old version by the version kept (H7).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from contracts.aftersales import CaseEvent, CaseRefunded, CaseReviewed
from contracts.orders import AddressResult
from contracts.people import OrderId
from kit import inbox, outbox
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import Dead
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.postgres import Database
from kit.web.auth import Principal
from kit.web.preconditions import ensure_version
from services.orders.access.service import Access, AlreadySettled
from services.orders.fulfil.schemas import AddressCheck
from services.orders.tables import SETTLEMENTS
from services.orders.trade import domain, interlocks, repository
from services.orders.trade.domain import Lock, LockKind, Order, Outcome
from services.orders.trade.models import AddressCheckRow
from services.orders.trade.schemas import OrderView
from services.orders.trade.service import OpenOrder, OrderCommands, always


class Fulfilment:
    """Commands of people. `version` is the one that the caller read (If-Match).

    A buyer who did not answer is asked again after `ask_again_after`.
    """

    def __init__(
        self,
        orders: OrderCommands,
        access: Access,
        audit: Audit,
        *,
        ids: Ids,
        ask_again_after: timedelta,
    ) -> None:
        self._orders = orders
        self._access = access
        self._audit = audit
        self._ids = ids
        self._ask_again_after = ask_again_after

    async def check_address(
        self,
        principal: Principal,
        order_id: OrderId,
        check: AddressCheck,
        *,
        version: int,
        key: CommandKey,
    ) -> OrderView:
        """Record how asking the buyer about the address ended; a clear order is released with it.

        Of two who hold the work the order's lock decides, and the other is told how it ended,
        whatever version he read. Raises `NotHolder`, `AlreadySettled`, `IllegalTransition`,
        `TooEarly`, `PreconditionFailed`.
        """
        sees = partial(self._access.sees_address, principal=principal, order_id=order_id)
        async with self._orders.opened(principal, order_id, key, sees=sees) as opened:
            holds = await self._access.expect_holder(opened.session, principal, order_id)
            ended = opened.row.address_result
            if ended is not None and not (holds and domain.is_check_open(opened.order)):
                raise AlreadySettled(outcome=ended)
            ensure_version(version, opened.row.version)
            if check.address is not None:
                opened.row.recipient_name = check.address.name
                opened.row.recipient_phone = check.address.phone
                opened.row.recipient_address = check.address.text
            checked = self._checked(opened, check.result)
            return await opened.settle(checked, whole=await sees(opened.session))

    async def confirm_address(
        self, principal: Principal, order_id: OrderId, *, key: CommandKey
    ) -> OrderView:
        """Record that the buyer says himself that the address is right.

        He names no version: as long as the check is open the address is the one that he bought
        with, and a remark beside it is none of his. Raises `AlreadySettled`, `IllegalTransition`.
        """
        async with self._orders.opened(principal, order_id, key, sees=always) as opened:
            ended = opened.row.address_result
            if ended is not None and not domain.is_check_open(opened.order):
                raise AlreadySettled(outcome=ended)
            return await opened.settle(self._checked(opened, AddressResult.VERIFIED), whole=True)

    async def print_label(
        self, principal: Principal, order_id: OrderId, *, version: int, key: CommandKey
    ) -> OrderView:
        """Print the label of a released order; the answer holds the address whole, audited.

        A remark raises the version, so nobody prints without having read it. Raises
        `Interlocked`, `IllegalTransition`, `PreconditionFailed`.
        """
        async with self._orders.opened(principal, order_id, key, sees=always) as opened:
            ensure_version(version, opened.row.version)
            printed = domain.print_label(opened.order, by=opened.by, at=opened.at)
            await self._audit.note(opened.session, principal, "label_printed", order_id)
            return await opened.settle(printed, whole=True)

    async def close(
        self, principal: Principal, order_id: OrderId, reason: str, *, version: int, key: CommandKey
    ) -> OrderView:
        """Close an order that nobody has paid for. Raises `IllegalTransition`."""
        async with self._orders.opened(principal, order_id, key) as opened:
            ensure_version(version, opened.row.version)
            closed = domain.close(opened.order, by=opened.by, reason=reason, at=opened.at)
            await self._audit.note(opened.session, principal, "order_closed", order_id, note=reason)
            return await opened.settle(closed, whole=False)

    def _checked(self, opened: OpenOrder, result: AddressResult) -> Outcome:
        """Note the answer, and return what it makes of the order."""
        opened.row.address_result = result.value
        attempt = AddressCheckRow(
            id=self._ids.new(),
            order_id=opened.row.id,
            result=result.value,
            by=opened.by,
            at=opened.at,
        )
        repository.note(opened.session, attempt)
        checked = domain.check_address(
            opened.order, result, by=opened.by, at=opened.at, again_after=self._ask_again_after
        )
        return checked.then(partial(interlocks.release_if_clear, at=opened.at))


class Refunds:
    """Takes facts of cases, each in one transaction: an open refund interlocks its order."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def requested(self, event: CaseEvent) -> None:
        """A refund is open: the order must not be printed until it is settled."""
        at, lock = self._clock.now(), _lock_of(event)
        await self._apply(event, partial(interlocks.set_lock, lock=lock, at=at), at)

    async def reviewed(self, event: CaseReviewed) -> None:
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

    async def _apply(
        self, event: CaseEvent, rule: Callable[[Order], Outcome], at: datetime
    ) -> None:
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, SETTLEMENTS, event.id):
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
