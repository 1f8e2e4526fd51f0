"""What people do with orders. Each command: one transaction, the row locked first, rules decide.

A repeat with the same Idempotency-Key answers the first answer and changes nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import OrderId, PersonId
from kit import outbox
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import NotFound
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.keyed import Command
from kit.postgres import Database
from kit.web.auth import Principal
from kit.web.preconditions import ensure_version
from services.orders import domain, interlocks, repository
from services.orders.models import AddressCheckRow, OrderRow, RemarkRow
from services.orders.schemas import AddressCheck, OrderView, Remark
from services.orders.service.access import Access
from services.orders.service.reading import view


@dataclass(frozen=True, slots=True)
class _Open:
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


class Commands:
    """Commands of people. `version` is the one that the caller read (If-Match)."""

    def __init__(
        self, database: Database, access: Access, audit: Audit, *, clock: Clock, ids: Ids
    ) -> None:
        self._db = database
        self._access = access
        self._audit = audit
        self._clock = clock
        self._ids = ids

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

        Raises `NotHolder`, `IllegalTransition`, `PreconditionFailed`.
        """
        async with self._opened(principal, order_id, key) as opened:
            await self._access.expect_holder(opened.session, principal, opened.row)
            ensure_version(version, opened.row.version)
            if check.address is not None:
                opened.row.recipient_name = check.address.name
                opened.row.recipient_phone = check.address.phone
                opened.row.recipient_address = check.address.text
            opened.row.address_result = check.result.value
            attempt = AddressCheckRow(
                id=self._ids.new(),
                order_id=order_id,
                result=check.result.value,
                by=principal.subject,
                at=opened.at,
            )
            repository.note(opened.session, attempt)
            checked = domain.check_address(
                opened.order, check.result, by=opened.by, at=opened.at
            ).then(partial(interlocks.release_if_clear, at=opened.at))
            whole = await self._access.sees_address(opened.session, principal, opened.row)
            return await self._settle(opened, checked, whole=whole)

    async def remark(
        self, principal: Principal, order_id: OrderId, text: str, *, key: CommandKey
    ) -> Remark:
        """Add a remark to the order's history, which is only ever added to."""
        async with self._opened(principal, order_id, key) as opened:
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
            await self._save(opened, remarked)
            return await opened.command.keep(Remark.model_validate(remark))

    async def print_label(
        self, principal: Principal, order_id: OrderId, *, version: int, key: CommandKey
    ) -> OrderView:
        """Print the label of a released order; the answer holds the address whole, audited.

        A remark raises the version, so nobody prints without having read it. Raises
        `Interlocked`, `IllegalTransition`, `PreconditionFailed`.
        """
        async with self._opened(principal, order_id, key) as opened:
            ensure_version(version, opened.row.version)
            printed = domain.print_label(opened.order, by=opened.by, at=opened.at)
            await self._audit.note(opened.session, principal, "label_printed", order_id)
            return await self._settle(opened, printed, whole=True)

    async def close(
        self, principal: Principal, order_id: OrderId, reason: str, *, version: int, key: CommandKey
    ) -> OrderView:
        """Close an order that nobody has paid for. Raises `IllegalTransition`."""
        async with self._opened(principal, order_id, key) as opened:
            ensure_version(version, opened.row.version)
            closed = domain.close(opened.order, by=opened.by, reason=reason, at=opened.at)
            await self._audit.note(opened.session, principal, "order_closed", order_id, note=reason)
            return await self._settle(opened, closed, whole=False)

    async def reveal(
        self, principal: Principal, order_id: OrderId, reason: str, *, key: CommandKey
    ) -> OrderView:
        """Show the address whole to somebody who does not work on the order; audited, with why."""
        async with self._opened(principal, order_id, key) as opened:
            await self._audit.note(
                opened.session, principal, "address_shown", order_id, note=reason
            )
            return await self._answer(opened, whole=True)

    @asynccontextmanager
    async def _opened(
        self, principal: Principal, order_id: OrderId, key: CommandKey
    ) -> AsyncIterator[_Open]:
        await self._access.admit(principal, order_id)
        async with self._db.keyed(key) as command:
            row = await repository.lock(command.session, order_id)
            if row is None:
                raise NotFound
            order = await repository.facts(command.session, row)
            now = self._clock.now()
            yield _Open(command, row, order, now, PersonId(principal.subject))

    async def _settle(self, opened: _Open, outcome: domain.Outcome, *, whole: bool) -> OrderView:
        await self._save(opened, outcome)
        return await self._answer(opened, whole=whole)

    async def _save(self, opened: _Open, outcome: domain.Outcome) -> None:
        await repository.save(opened.session, opened.row, outcome.order, at=opened.at)
        await outbox.add(opened.session, *outcome.events)

    async def _answer(self, opened: _Open, *, whole: bool) -> OrderView:
        locks = await repository.set_locks(opened.session, [opened.row.id])
        shown = view(opened.row, locks.get(opened.row.id, ()), whole=whole)
        return await opened.command.keep(shown)
