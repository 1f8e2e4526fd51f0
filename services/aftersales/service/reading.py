"""What people read of cases and work items. Writes nothing."""

from datetime import datetime
from typing import Final

from contracts.people import CaseId, PersonId, Role, ShopId, WorkId
from kit.admission import Admission
from kit.errors import NotFound
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page
from services.aftersales import repository
from services.aftersales.models import CaseRow, WorkItemRow
from services.aftersales.schemas import CaseFilter, CaseView, WorkFilter, WorkItemView

BY_ID: Final[paging.Order[CaseRow, str]] = paging.by_id("below")

BY_OPENING: Final[paging.Order[WorkItemRow, tuple[datetime, str]]] = paging.by_time(
    lambda row: row.opened_at
)


class Reading:
    """Reads in one snapshot each."""

    def __init__(self, database: Database, admission: Admission, cursors: Cursors) -> None:
        self._db = database
        self._admission = admission
        self._cursors = cursors

    async def cases(self, principal: Principal, wanted: CaseFilter) -> Page[CaseView]:
        """Return a page of cases, newest first: a buyer's own, or the shop's."""
        buyer = principal.role == Role.BUYER
        name = f"cases of {principal.subject}" if buyer else "cases"
        shop_id = ShopId(principal.shop_id)
        query = paging.page(self._cursors, wanted, by=BY_ID, shop_id=shop_id, list_name=name)
        async with self._db.read(shop_id) as session:
            rows = await repository.cases(
                session,
                shop_id=shop_id,
                buyer_id=PersonId(principal.subject) if buyer else None,
                state=wanted.state,
                order_id=wanted.order_id,
                below=query.after,
                limit=query.limit,
            )
            shown, next_cursor = query.cut(rows)
            due = await repository.due_times(session, [row.id for row in shown])
        items = [view(row, due.get(row.id), principal) for row in shown]
        return Page(items=items, next_cursor=next_cursor)

    async def case(self, principal: Principal, case_id: CaseId) -> CaseView:
        """Return a case. Raises `NotFound`."""
        await self._admission.admit(principal, case_id, repository.owner_of_case)
        async with self._db.read(principal.shop_id) as session:
            row = await repository.find_case(session, case_id)
            if row is None:
                raise NotFound
            due = await repository.due_times(session, [case_id])
        return view(row, due.get(case_id), principal)

    async def work_items(self, principal: Principal, wanted: WorkFilter) -> Page[WorkItemView]:
        """Return a page of the shop's work items, newest first."""
        shop_id = ShopId(principal.shop_id)
        query = paging.page(self._cursors, wanted, by=BY_OPENING, shop_id=shop_id, list_name="work")
        async with self._db.read(shop_id) as session:
            rows = await repository.work_items(
                session,
                shop_id=shop_id,
                state=wanted.state,
                order_id=wanted.order_id,
                agent_id=wanted.agent_id,
                below=query.after,
                limit=query.limit,
            )
        return query.show(rows, WorkItemView.model_validate)

    async def work_item(self, principal: Principal, work_id: WorkId) -> WorkItemView:
        """Return a work item. Raises `NotFound`."""
        await self._admission.admit(principal, work_id, repository.owner_of_work)
        async with self._db.read(principal.shop_id) as session:
            row = await repository.find_work(session, work_id)
        if row is None:
            raise NotFound
        return WorkItemView.model_validate(row)


def view(row: CaseRow, due_at: datetime | None, principal: Principal) -> CaseView:
    """Return what the caller sees of a case; the review's note is for staff alone."""
    return CaseView.model_validate(
        {
            **{name: getattr(row, name, None) for name in CaseView.model_fields},
            "due_at": due_at,
            "review_note": None if principal.role == Role.BUYER else row.review_note,
        }
    )
