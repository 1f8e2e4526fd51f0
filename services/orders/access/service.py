"""Who sees an order's address whole and answers for it: its buyer, and whoever holds its work."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import OrderId, PersonId, Role
from contracts.work import WorkAssigned, WorkSettled, WorkSettledV2
from kit import inbox
from kit.audit import Audit
from kit.errors import Conflict, Forbidden
from kit.postgres import Database
from kit.web.auth import Principal
from services.orders.access import repository
from services.orders.tables import SETTLEMENTS


class NotHolder(Forbidden):
    """Only the agent who holds the order's work, or a supervisor, may do this."""

    slug, title = "not_holder", "Somebody else works on this order"


class AlreadySettled(Conflict):
    """Somebody else who held the work was faster; `outcome` is how it ended."""

    slug, title = "already_settled", "This is settled already"


class Access:
    """Asks what somebody may do with an order that he was admitted to."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._db = database
        self._audit = audit

    async def sees_address(
        self, session: AsyncSession, principal: Principal, order_id: OrderId
    ) -> bool:
        """Tell whether the caller sees the address whole: its buyer, or the agent at work on it."""
        if principal.role == Role.BUYER:
            return True
        return bool(await repository.holds_work(session, order_id, PersonId(principal.subject)))

    async def expect_holder(
        self, session: AsyncSession, principal: Principal, order_id: OrderId
    ) -> bool:
        """Tell whether work of the caller's on the order is open; a supervisor needs none.

        Raises `NotHolder` if he never had any.
        """
        if principal.role == Role.SUPERVISOR:
            return True
        holds = await repository.holds_work(session, order_id, PersonId(principal.subject))
        if holds is None:
            raise NotHolder
        return holds

    async def note_shown(self, principal: Principal, order_id: OrderId) -> None:
        """Note that staff saw the buyer's address whole (capability X5)."""
        async with self._db.write(principal.shop_id) as session:
            await self._audit.note(session, principal, "address_shown", order_id)


class Holders:
    """Takes what the work's owners say of who holds it.

    Every method survives a repeat by an inbox row, and an old version by the version kept (H7).
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    async def work_assigned(self, event: WorkAssigned) -> None:
        """An agent works on the order: he may see its address and answer for the check.

        So may a senior who was added to him.
        """
        if event.order_id is None:
            return
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, SETTLEMENTS, event.id):
                return
            await repository.assign_work(
                session,
                event.work_id,
                order_id=event.order_id,
                shop_id=event.shop_id,
                agent_id=event.agent_id,
                senior_id=event.also,
                version=event.version,
            )

    async def work_settled(self, event: WorkSettled | WorkSettledV2) -> None:
        """The work is over, and with it its holders' sight of the address."""
        if event.order_id is None:
            return
        async with self._db.write(event.shop_id) as session:
            if await inbox.seen(session, SETTLEMENTS, event.id):
                return
            await repository.settle_work(
                session, event.work_id, order_id=event.order_id, shop_id=event.shop_id
            )
