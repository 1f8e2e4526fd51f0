"""Who may do what with an order that he was admitted to, and who sees a shop's intake secret."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PLATFORM, OrderId, PersonId, Role, ShopId
from kit.admission import Admission, Owner
from kit.audit import Audit
from kit.errors import Forbidden
from kit.postgres import Database
from kit.web.auth import Principal
from services.orders import repository
from services.orders.models import OrderRow


class NotHolder(Forbidden):
    """Only the agent who holds the order's work, or a supervisor, may do this."""

    slug, title = "not_holder", "Somebody else works on this order"


class Access:
    """Admits callers to orders. Another shop's order and one that does not exist answer alike."""

    def __init__(self, database: Database, admission: Admission, audit: Audit) -> None:
        self._db = database
        self._admission = admission
        self._audit = audit

    async def admit(self, principal: Principal, order_id: OrderId) -> None:
        """Return if the order is the caller's own or his shop's. Raises `NotFound`, audited."""
        await self._admission.admit(principal, order_id, repository.owner)

    async def sees_address(
        self, session: AsyncSession, principal: Principal, row: OrderRow
    ) -> bool:
        """Tell whether the caller sees the address whole: its buyer, or the agent at work on it."""
        if principal.role == Role.BUYER:
            return True
        return await repository.holds_work(session, OrderId(row.id), PersonId(principal.subject))

    async def expect_holder(
        self, session: AsyncSession, principal: Principal, row: OrderRow
    ) -> None:
        """Raise `NotHolder` unless the caller holds the order's work or supervises."""
        if principal.role == Role.SUPERVISOR:
            return
        if not await repository.holds_work(session, OrderId(row.id), PersonId(principal.subject)):
            raise NotHolder

    async def admit_to_secret(
        self, principal: Principal, shop_id: ShopId, *, action: str | None = None
    ) -> None:
        """Return if the secret is the caller's to see and change; note what he did, if given.

        The platform's administrator may, for any shop. Raises `NotFound` for another shop's,
        audited there.
        """
        if principal.shop_id not in {shop_id, PLATFORM}:
            await self._admission.refuse(principal, "intake_secret", Owner(shop_id))
        if action is not None:
            async with self._db.write(shop_id) as session:
                await self._audit.note(session, principal, action, "intake_secret", shop_id=shop_id)

    async def note_shown(self, principal: Principal, order_id: OrderId) -> None:
        """Note that staff saw the buyer's address whole (capability X5)."""
        async with self._db.write(principal.shop_id) as session:
            await self._audit.note(session, principal, "address_shown", order_id)
