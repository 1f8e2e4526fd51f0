"""What people read of orders and write beside them, and how a command opens and settles one.

A command is one transaction: the row locked first, then rules decide. A repeat with the same
Idempotency-Key answers the first answer and changes nothing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.orders import AddressResult, Line, OrderState
from contracts.people import OrderId, PersonId, Role, ShopId
from kit import outbox
from kit.admission import Admission
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import Forbidden, NotFound
from kit.idempotency import CommandKey, Replayed
from kit.ids import Ids
from kit.keyed import Command
from kit.postgres import Database
from kit.text import mask_phone, refuse_unstorable, whole_phone
from kit.web import paging
from kit.web.auth import Principal
from kit.web.limits import KeyedBuckets
from kit.web.paging import Cursors, Page
from services.orders.access.service import Access
from services.orders.trade import domain, repository
from services.orders.trade.domain import LockKind
from services.orders.trade.models import OrderRow, RemarkRow
from services.orders.trade.schemas import (
    FOUND_MOST,
    AddressView,
    BuyerView,
    Interlock,
    InterlockList,
    OrderFilter,
    OrderView,
    Remark,
    RemarkList,
)

LOOK_RATE: Final = 1.0
LOOK_BURST: Final = 10.0
"""Looks for orders of a person, a second and at once; then 429 with `Retry-After`."""

Sees = Callable[[AsyncSession], Awaitable[bool]]
"""Whether the caller of a command sees the order whole."""

BY_ID: Final[paging.Order[OrderRow, str]] = paging.by_id("below")


class OrderReading:
    """Reads in one snapshot each."""

    def __init__(
        self, database: Database, admission: Admission, access: Access, *, cursors: Cursors
    ) -> None:
        self._db = database
        self._admission = admission
        self._access = access
        self._cursors = cursors

    async def page(self, principal: Principal, query: OrderFilter) -> Page[OrderView]:
        """Return a page of orders, newest first: a buyer's own, or the shop's, masked."""
        buyer = principal.role == Role.BUYER
        name = f"orders of {principal.subject}" if buyer else "orders"
        shop_id = ShopId(principal.shop_id)
        page = paging.page(self._cursors, query, by=BY_ID, shop_id=shop_id, list_name=name)
        async with self._db.read(shop_id) as session:
            rows = await repository.page(
                session,
                shop_id=shop_id,
                buyer_id=PersonId(principal.subject) if buyer else query.buyer_id,
                state=query.state,
                external_id=query.external_id,
                below=page.after,
                limit=page.limit,
            )
            shown, next_cursor = page.cut(rows)
            locks = await repository.set_locks(session, [row.id for row in shown])
        items = [view(row, locks.get(row.id, ()), whole=buyer) for row in shown]
        return Page(items=items, next_cursor=next_cursor)

    async def some(self, principal: Principal, ids: Sequence[str]) -> Page[OrderView]:
        """Return these orders of the caller's shop, masked; of others nothing is said.

        Raises `Forbidden` for buyers.
        """
        if principal.role == Role.BUYER:
            raise Forbidden
        async with self._db.read(principal.shop_id) as session:
            rows = await repository.some(session, ShopId(principal.shop_id), ids)
            locks = await repository.set_locks(session, [row.id for row in rows])
        return Page(items=[view(row, locks.get(row.id, ()), whole=False) for row in rows])

    async def read(self, principal: Principal, order_id: OrderId) -> OrderView:
        """Return an order as the caller may see it. Raises `NotFound`."""
        await self._admission.admit(principal, order_id, repository.owner)
        async with self._db.read(principal.shop_id) as session:
            row = await repository.find(session, order_id)
            if row is None:
                raise NotFound
            locks = await repository.set_locks(session, [order_id])
            whole = await self._access.sees_address(session, principal, order_id)
        if whole and principal.role != Role.BUYER:
            await self._access.note_shown(principal, order_id)
        return view(row, locks.get(row.id, ()), whole=whole)

    async def remarks(self, principal: Principal, order_id: OrderId) -> RemarkList:
        """Return the remarks of an order, oldest first. Raises `NotFound`."""
        await self._admission.admit(principal, order_id, repository.owner)
        async with self._db.read(principal.shop_id) as session:
            rows = await repository.remarks(session, order_id)
        return RemarkList(items=[Remark.model_validate(row) for row in rows])

    async def interlocks(self, principal: Principal, order_id: OrderId) -> InterlockList:
        """Return every interlock of an order, set or cleared, oldest first. Raises `NotFound`."""
        await self._admission.admit(principal, order_id, repository.owner)
        async with self._db.read(principal.shop_id) as session:
            rows = await repository.locks(session, order_id)
        return InterlockList(items=[Interlock.model_validate(row) for row in rows])


class OrderFinding:
    """Finds a shop's orders by what a buyer tells of them."""

    def __init__(self, database: Database, audit: Audit, clock: Clock) -> None:
        self._db = database
        self._audit = audit
        self._looks = KeyedBuckets(LOOK_RATE, LOOK_BURST, clock=clock)

    async def find(self, principal: Principal, wanted: str) -> Page[OrderView]:
        """Return orders of this id, external id or whole phone, masked; it is noted who looked.

        A part of a phone finds nothing, for it would undo the mask digit by digit. Raises
        `Forbidden` for buyers, `TooMany`.
        """
        if principal.role == Role.BUYER:
            raise Forbidden
        self._looks.spend(principal.subject)
        refuse_unstorable(wanted)
        shop_id, name, phones = ShopId(principal.shop_id), wanted.strip(), whole_phone(wanted)
        async with self._db.write(shop_id) as session:
            note = mask_phone(name) if phones else name
            await self._audit.note(session, principal, "orders_searched", shop_id, note=note)
            found = list(await repository.page(session, shop_id=shop_id, external_id=name, limit=1))
            by_id = await repository.find(session, OrderId(name.lower()))
            found += [by_id] if by_id is not None and by_id.shop_id == shop_id else []
            called: list[OrderRow] = []
            for phone in phones:  # each by its index: all at once would be sorted, or filtered
                called += await repository.called(session, shop_id, phone, limit=FOUND_MOST)
            found += sorted(called, key=lambda row: row.id, reverse=True)
            shown = list({row.id: row for row in found}.values())[:FOUND_MOST]
            locks = await repository.set_locks(session, [row.id for row in shown])
            items = [view(row, locks.get(row.id, ()), whole=False) for row in shown]
        return Page(items=items)


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """A command with its order locked."""

    command: Command
    row: OrderRow
    order: domain.Order
    at: datetime
    by: PersonId

    @property
    def session(self) -> AsyncSession:
        """The command's session."""
        return self.command.session

    async def settle(self, outcome: domain.Outcome, *, whole: bool) -> OrderView:
        """Save what a rule made of the order and tell of it; keep and return the answer."""
        await self.save(outcome)
        return await self.answer(whole=whole)

    async def save(self, outcome: domain.Outcome) -> None:
        """Save what a rule made of the order, and tell of it."""
        await repository.save(self.session, self.row, outcome.order, at=self.at)
        await outbox.add(self.session, *outcome.events)

    async def answer(self, *, whole: bool) -> OrderView:
        """Keep and return the order as it is now; `whole` shows the address unmasked.

        It is kept masked: who may see it whole is asked anew when the answer is repeated.
        """
        locks = await repository.set_locks(self.session, [self.row.id])
        kept = await self.command.keep(view(self.row, locks.get(self.row.id, ()), whole=False))
        return _whole(kept, self.row) if whole else kept


class OrderCommands:
    """Opens keyed commands on orders: the caller admitted, the row locked."""

    def __init__(self, database: Database, admission: Admission, clock: Clock) -> None:
        self._db = database
        self._admission = admission
        self._clock = clock

    @asynccontextmanager
    async def opened(
        self,
        principal: Principal,
        order_id: OrderId,
        key: CommandKey,
        *,
        sees: Sees | None = None,
    ) -> AsyncIterator[OpenOrder]:
        """Yield the order, locked until the block ends. Raises `NotFound`, `Replayed`.

        `sees` is asked of a command that may answer with the whole address, when it is repeated.
        """
        await self._admission.admit(principal, order_id, repository.owner)
        try:
            async with self._db.keyed(key) as command:
                row = await repository.lock(command.session, order_id)
                if row is None:
                    raise NotFound
                order = await repository.facts(command.session, row)
                now = self._clock.now()
                yield OpenOrder(command, row, order, now, PersonId(principal.subject))
        except Replayed as replayed:
            if sees is None:
                raise
            raise await self._repeated(principal, order_id, replayed, sees=sees) from None

    async def _repeated(
        self, principal: Principal, order_id: OrderId, replayed: Replayed, *, sees: Sees
    ) -> Replayed:
        async with self._db.read(principal.shop_id) as session:
            row = await repository.find(session, order_id)
            if row is None or not await sees(session):
                return replayed
        return replayed.completed(OrderView, lambda kept: _whole(kept, row))


class Remarks:
    """What people write beside an order, and the look at what is masked."""

    def __init__(self, orders: OrderCommands, audit: Audit, ids: Ids) -> None:
        self._orders = orders
        self._audit = audit
        self._ids = ids

    async def remark(
        self, principal: Principal, order_id: OrderId, text: str, *, key: CommandKey
    ) -> Remark:
        """Add a remark to the order's history, which is only ever added to."""
        async with self._orders.opened(principal, order_id, key) as opened:
            remark = RemarkRow(
                id=self._ids.new(),
                order_id=order_id,
                author_id=principal.subject,
                author_name=principal.name,
                text=text,
                at=opened.at,
            )
            repository.note(opened.session, remark)
            remarked = domain.remark(opened.order, remark_id=remark.id, by=opened.by, at=opened.at)
            await opened.save(remarked)
            return await opened.command.keep(Remark.model_validate(remark))

    async def reveal(
        self, principal: Principal, order_id: OrderId, reason: str, *, key: CommandKey
    ) -> OrderView:
        """Show the address whole to somebody who does not work on the order; audited, with why."""
        async with self._orders.opened(principal, order_id, key, sees=always) as opened:
            await self._audit.note(
                opened.session, principal, "address_shown", order_id, note=reason
            )
            return await opened.answer(whole=True)


def view(row: OrderRow, locks: Sequence[LockKind], *, whole: bool) -> OrderView:
    """Return what is shown of an order; `whole` shows the address unmasked."""
    return OrderView(
        id=row.id,
        shop_id=row.shop_id,
        external_id=row.external_id,
        state=OrderState(row.state),
        version=row.version,
        buyer=_buyer(row, whole=whole),
        address=_address(row, whole=whole),
        address_result=AddressResult(row.address_result) if row.address_result else None,
        address_attempts=row.address_attempts,
        ask_again_at=row.ask_again_at,
        interlocks=list(locks),
        lines=[Line.model_validate(line) for line in row.lines],
        total_fen=row.total_fen,
        paid_fen=row.paid_fen,
        refunded_fen=row.refunded_fen,
        currency=row.currency,
        placed_at=row.placed_at,
        paid_at=row.paid_at,
    )


async def always(_: AsyncSession) -> bool:
    """Tell that a command's caller sees the order whole whenever he may give the command."""
    return True


def _whole(shown: OrderView, row: OrderRow) -> OrderView:
    whole = {"buyer": _buyer(row, whole=True), "address": _address(row, whole=True)}
    return shown.model_copy(update=whole)


def _buyer(row: OrderRow, *, whole: bool) -> BuyerView:
    return BuyerView.show(row.buyer_id, row.buyer_name, whole=whole)


def _address(row: OrderRow, *, whole: bool) -> AddressView:
    return AddressView.show(
        name=row.recipient_name,
        phone=row.recipient_phone,
        text=row.recipient_address,
        whole=whole,
    )
