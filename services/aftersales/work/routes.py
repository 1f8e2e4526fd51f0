"""The HTTP door for staff who look at work. Knows no table."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from contracts.people import CHATTING_STAFF, Role, WorkId
from kit.web.auth import Principal, require
from kit.web.paging import Page
from services.aftersales.work.schemas import WorkFilter, WorkItemView
from services.aftersales.work.service import WorkReading

WorkPath = Annotated[WorkId, Path(max_length=64)]
Staff = Annotated[Principal, Depends(require(*CHATTING_STAFF, Role.CLERK, Role.ADMIN))]


def routes(work: WorkReading) -> APIRouter:
    """Return the routes that read work items."""
    router = APIRouter(prefix="/v1", tags=["aftersales"])

    @router.get("/work-items")
    async def list_work_items(
        principal: Staff, query: Annotated[WorkFilter, Query()]
    ) -> Page[WorkItemView]:
        """List the shop's work items, newest first."""
        return await work.page(principal, query)

    @router.get("/work-items/{work_id}")
    async def read_work_item(work_id: WorkPath, principal: Staff) -> WorkItemView:
        """Read a work item."""
        return await work.read(principal, work_id)

    return router
