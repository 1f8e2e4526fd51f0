"""The store of who holds which work. Knows SQL, decides nothing."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import OrderId, PersonId, ShopId, WorkId
from services.orders.access.models import WorkRow


async def holds_work(session: AsyncSession, order_id: OrderId, agent_id: PersonId) -> bool:
    """Tell whether this agent has open work on the order."""
    query = select(WorkRow.work_id).where(
        WorkRow.order_id == order_id, WorkRow.agent_id == agent_id, WorkRow.settled.is_(False)
    )
    return (await session.execute(query.limit(1))).one_or_none() is not None


async def assign_work(
    session: AsyncSession,
    work_id: WorkId,
    *,
    order_id: OrderId,
    shop_id: ShopId,
    agent_id: PersonId,
    version: int,
) -> None:
    """Note who has the work; an older version than the one known is ignored (H7)."""
    statement = insert(WorkRow).values(
        work_id=work_id, order_id=order_id, shop_id=shop_id, agent_id=agent_id, version=version
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[WorkRow.work_id],
            set_={"agent_id": agent_id, "version": version},
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
