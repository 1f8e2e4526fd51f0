"""Who may see and do what with an order, and the audit of what was shown or refused."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PLATFORM, OrderId, PersonId, Role, ShopId
from kit.clock import Clock
from kit.errors import Forbidden, NotFound
from kit.ids import Ids
from kit.postgres import Database
from kit.web.auth import Principal
from kit.web.limits import Strangers
from services.orders import repository
from services.orders.models import AuditRow, OrderRow
from services.orders.repository import Owner


class NotHolder(Forbidden):
    """Only the agent who holds the order's work, or a supervisor, may do this."""

    slug, title = "not_holder", "Somebody else works on this order"


class Access:
    """Admits callers to orders. Another shop's order and one that does not exist answer alike."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, *, strangers: Strangers) -> None:
        self._db = database
        self._clock = clock
        self._ids = ids
        self._strangers = strangers

    async def admit(self, principal: Principal, order_id: OrderId) -> None:
        """Return if the order is the caller's own or his shop's. Raises `NotFound`, audited.

        Raises `TooMany` for a caller principal tries ids. Checked before the transaction of the use
        case: whose an order is never changes.
        """
        async with self._db.read_across("whose an order is") as session:
            owner = await repository.owner(session, order_id)
        if owner is not None and _is_theirs(principal, owner):
            return
        self._strangers.met(principal.subject)
        if owner is not None and owner.shop_id != principal.shop_id:
            async with self._db.write(owner.shop_id) as session:
                self.audit(
                    session, principal, "refused_other_shop", order_id, shop_id=owner.shop_id
                )
        raise NotFound

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
        allowed = principal.shop_id in {shop_id, PLATFORM}
        if not allowed:
            self._strangers.met(principal.subject)
            action = "refused_other_shop"
        if action is not None:
            async with self._db.write(shop_id) as session:
                self.audit(session, principal, action, "intake_secret", shop_id=shop_id)
        if not allowed:
            raise NotFound

    async def note_shown(self, principal: Principal, order_id: OrderId) -> None:
        """Note that staff saw the buyer's address whole (capability X5)."""
        async with self._db.write(principal.shop_id) as session:
            self.audit(session, principal, "address_shown", order_id)

    def audit(
        self,
        session: AsyncSession,
        principal: Principal,
        action: str,
        object_id: str,
        *,
        shop_id: str = "",
        note: str = "",
    ) -> None:
        """Append an audit row; `shop_id` is the object's shop, by default the caller's."""
        row = AuditRow(
            id=self._ids.new(),
            at=self._clock.now(),
            shop_id=shop_id or principal.shop_id,
            actor_id=principal.subject,
            actor_role=principal.role,
            actor_shop_id=principal.shop_id,
            action=action,
            object_id=object_id,
            note=note,
        )
        repository.note(session, row)


def _is_theirs(principal: Principal, owner: Owner) -> bool:
    buyers_own = principal.role != Role.BUYER or owner.buyer_id == principal.subject
    return owner.shop_id == principal.shop_id and buyers_own
