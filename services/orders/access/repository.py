"""The store of who holds which work. Knows SQL, decides nothing."""

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import OrderId, PersonId, ShopId, WorkId
from services.orders.access.models import WorkRow


async def holds_work(session: AsyncSession, order_id: OrderId, person_id: PersonId) -> bool | None:
    """Tell whether he has open work on the order, alone or with another; None: he never had any."""
    query = select(WorkRow.settled).where(
        WorkRow.order_id == order_id,
        or_(WorkRow.agent_id == person_id, WorkRow.senior_id == person_id),
    )
    settled = (await session.scalars(query)).all()
    return not all(settled) if settled else None


async def assign_work(
    session: AsyncSession,
    work_id: WorkId,
    *,
    order_id: OrderId,
    shop_id: ShopId,
    agent_id: PersonId,
    senior_id: PersonId | None,
    version: int,
) -> None:
    """Note who has the work; an older version than the one known is ignored (H7)."""
    held = {"agent_id": agent_id, "senior_id": senior_id, "version": version}
    statement = insert(WorkRow).values(work_id=work_id, order_id=order_id, shop_id=shop_id, **held)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[WorkRow.work_id],
            set_=held,
            where=WorkRow.version < version,
        )
    )


async def settle_work(
    session: AsyncSession, work_id: WorkId, *, order_id: OrderId, shop_id: ShopId
) -> None:
    """Note that the work is over, even if its assignment has not arrived yet."""
    statement = insert(WorkRow).values(
        work_id=work_id, order_id=order_id, shop_id=shop_id, version=0, settled=True
    )
    await session.execute(
        statement.on_conflict_do_update(index_elements=[WorkRow.work_id], set_={"settled": True})
    )
