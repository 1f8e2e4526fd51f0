"""Who may see and do what with a case, and the audit of what was done or refused."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import CaseId, OrderId, Role, WorkId
from kit.clock import Clock
from kit.errors import NotFound
from kit.ids import Ids
from kit.postgres import Database
from kit.web.auth import Principal
from kit.web.limits import Strangers
from services.aftersales import repository
from services.aftersales.models import AuditRow
from services.aftersales.repository import Owner


class Access:
    """Admits callers. What is another shop's and what does not exist answer alike.

    Whoever tries ids is answered `TooMany`. Checked before the transaction of the use case: whose
    a thing is never changes.
    """

    def __init__(self, database: Database, clock: Clock, ids: Ids, *, strangers: Strangers) -> None:
        self._db = database
        self._clock = clock
        self._ids = ids
        self._strangers = strangers

    async def admit_to_order(self, principal: Principal, order_id: OrderId) -> None:
        """Return if the paid order is the caller's own or his shop's. Raises `NotFound`."""
        async with self._db.read_across("whose it is") as session:
            owner = await repository.owner_of_order(session, order_id)
        await self._admit(principal, owner, order_id)

    async def admit_to_case(self, principal: Principal, case_id: CaseId) -> None:
        """Return if the case is the caller's own or his shop's. Raises `NotFound`."""
        async with self._db.read_across("whose it is") as session:
            owner = await repository.owner_of_case(session, case_id)
        await self._admit(principal, owner, case_id)

    async def admit_to_work(self, principal: Principal, work_id: WorkId) -> None:
        """Return if the work item is of the caller's shop. Raises `NotFound`."""
        async with self._db.read_across("whose it is") as session:
            owner = await repository.owner_of_work(session, work_id)
        await self._admit(principal, owner, work_id)

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
        repository.append(session, row)

    async def _admit(self, principal: Principal, owner: Owner | None, object_id: str) -> None:
        if owner is not None and _is_theirs(principal, owner):
            return
        self._strangers.met(principal.subject)
        if owner is not None and owner.shop_id != principal.shop_id:
            async with self._db.write(owner.shop_id) as session:
                self.audit(
                    session, principal, "refused_other_shop", object_id, shop_id=owner.shop_id
                )
        raise NotFound


def _is_theirs(principal: Principal, owner: Owner) -> bool:
    buyers_own = principal.role != Role.BUYER or owner.buyer_id == principal.subject
    return owner.shop_id == principal.shop_id and buyers_own
