"""The store of work items. Knows SQL, decides nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Select, select, tuple_, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import OrderId, PersonId, ShopId, WorkId
from contracts.work import WorkKind
from kit.admission import Owner
from services.aftersales.work.domain import WorkItem, WorkState
from services.aftersales.work.models import WorkItemRow

Query = TypeVar("Query", bound=Select[Any])

_LOCK_ORDER: Final = (WorkItemRow.order_id, WorkItemRow.kind, WorkItemRow.attempt)
"""In which several items are locked, whoever does it."""


async def owner_of_work(session: AsyncSession, work_id: WorkId) -> Owner | None:
    """Return whose work item this is, whichever shop's."""
    query = select(WorkItemRow.shop_id, WorkItemRow.buyer_id).where(WorkItemRow.id == work_id)
    found = (await session.execute(query)).one_or_none()
    return found and Owner(found.shop_id, found.buyer_id)


async def open_work(
    session: AsyncSession, item: WorkItem, *, at: datetime, due_at: datetime
) -> bool:
    """Insert a work item; False if this attempt is open or over already."""
    statement = insert(WorkItemRow).values(
        id=item.id,
        shop_id=item.shop_id,
        order_id=item.order_id,
        buyer_id=item.buyer_id,
        kind=item.kind.value,
        attempt=item.attempt,
        state=WorkState.OPEN.value,
        due_at=due_at,
        opened_at=at,
    )
    inserted = await session.execute(statement.on_conflict_do_nothing().returning(WorkItemRow.id))
    return inserted.one_or_none() is not None


async def lock_work_of(
    session: AsyncSession, order_ids: Sequence[OrderId]
) -> Sequence[WorkItemRow]:
    """Lock all work of these orders; return it as it then is, each order's oldest attempt first.

    Read a second time, for an attempt that another transaction opened is not seen by a statement
    that began before its commit.
    """
    of_orders = WorkItemRow.order_id.in_(order_ids)
    locked = select(WorkItemRow.id).where(of_orders).order_by(*_LOCK_ORDER)
    await session.execute(locked.with_for_update())
    query = select(WorkItemRow).where(of_orders).order_by(*_LOCK_ORDER)
    return (await session.scalars(query.with_for_update())).all()


async def lock_work(session: AsyncSession, work_ids: Sequence[WorkId]) -> Sequence[WorkItemRow]:
    """Return work items, locked until the transaction ends."""
    query = select(WorkItemRow).where(WorkItemRow.id.in_(work_ids)).order_by(*_LOCK_ORDER)
    return (await session.scalars(query.with_for_update())).all()


def work_facts(row: WorkItemRow) -> WorkItem:
    """Return what the rules decide on."""
    return WorkItem(
        id=WorkId(row.id),
        shop_id=ShopId(row.shop_id),
        order_id=OrderId(row.order_id),
        buyer_id=PersonId(row.buyer_id),
        kind=WorkKind(row.kind),
        attempt=row.attempt,
        level=row.level,
    )


def settle_work(row: WorkItemRow, outcome: str, *, at: datetime) -> None:
    """Mark a work item as over."""
    row.state = WorkState.SETTLED.value
    row.outcome = outcome
    row.settled_at = at


async def assign_work(
    session: AsyncSession,
    work_id: WorkId,
    agent_id: PersonId,
    *,
    senior_id: PersonId | None,
    version: int,
) -> None:
    """Note who has the work; an older version than the one known is ignored (H7)."""
    newer = (WorkItemRow.id == work_id) & (WorkItemRow.assignment_version < version)
    held = {"agent_id": agent_id, "senior_id": senior_id, "assignment_version": version}
    await session.execute(update(WorkItemRow).where(newer).values(held))


async def find_work(session: AsyncSession, work_id: WorkId) -> WorkItemRow | None:
    """Return a work item without locking it."""
    return await session.get(WorkItemRow, work_id)


async def work_items(
    session: AsyncSession,
    *,
    shop_id: ShopId,
    limit: int,
    state: WorkState | None = None,
    order_id: str | None = None,
    agent_id: str | None = None,
    below: tuple[datetime, str] | None = None,
) -> Sequence[WorkItemRow]:
    """Return work items of one shop, newest first, at most `limit` and below (opened_at, id).

    With `agent_id`, what this person holds: as the agent, or as the senior beside one.
    """
    asked = [WorkItemRow.shop_id == shop_id]
    if state is not None:
        asked.append(WorkItemRow.state == state.value)
    if order_id is not None:
        asked.append(WorkItemRow.order_id == order_id)
    if below is not None:
        asked.append(tuple_(WorkItemRow.opened_at, WorkItemRow.id) < below)
    if agent_id is None:
        query = _newest(select(WorkItemRow).where(*asked), limit)
    else:
        # Each walks an index of its own and stops; one `or` would sort all that somebody ever held.
        held = union(
            *(
                _newest(select(WorkItemRow.id).where(*asked, holder == agent_id), limit)
                for holder in (WorkItemRow.agent_id, WorkItemRow.senior_id)
            )
        )
        query = _newest(select(WorkItemRow).where(WorkItemRow.id.in_(held)), limit)
    return (await session.scalars(query)).all()


def _newest(query: Query, limit: int) -> Query:
    """Return at most `limit` of what is asked, the newest first."""
    return query.order_by(WorkItemRow.opened_at.desc(), WorkItemRow.id.desc()).limit(limit)
