"""The HTTP door for people: buyers ask for refunds, staff decide on them. Knows no table."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from contracts.people import CHATTING_STAFF, CaseId, Role, WorkId
from kit.web.auth import Caller, Principal, require
from kit.web.idempotency import VersionedKey
from kit.web.paging import Page
from kit.web.preconditions import IfMatch, etag
from services.aftersales.schemas import (
    CaseFilter,
    CaseView,
    NewCase,
    Nothing,
    Review,
    WorkFilter,
    WorkItemView,
)
from services.aftersales.service import Commands, Reading

_DECIDING: Final = (Role.AFTERSALES, Role.SUPERVISOR)

CasePath = Annotated[CaseId, Path(max_length=64)]
WorkPath = Annotated[WorkId, Path(max_length=64)]
Asking = Annotated[Principal, Depends(require(Role.BUYER, *CHATTING_STAFF))]
Staff = Annotated[Principal, Depends(require(*CHATTING_STAFF, Role.CLERK, Role.ADMIN))]
Deciding = Annotated[Principal, Depends(require(*_DECIDING))]


async def no_fields(_body: Nothing | None = None) -> None:
    """Refuse fields that the command would not look at."""


def reading(aftersales: Reading) -> APIRouter:
    """Return the routes that read."""
    router = APIRouter(prefix="/v1", tags=["aftersales"])

    @router.get("/cases")
    async def list_cases(
        principal: Caller, wanted: Annotated[CaseFilter, Query()]
    ) -> Page[CaseView]:
        """List cases, newest first: a buyer's own, or the shop's."""
        return await aftersales.cases(principal, wanted)

    @router.get("/cases/{case_id}")
    async def read_case(*, case_id: CasePath, principal: Caller, response: Response) -> CaseView:
        """Read a case; its ETag is what commands want as If-Match."""
        found = await aftersales.case(principal, case_id)
        response.headers["ETag"] = etag(found.version)
        return found

    @router.get("/work-items")
    async def list_work_items(
        principal: Staff, wanted: Annotated[WorkFilter, Query()]
    ) -> Page[WorkItemView]:
        """List the shop's work items, newest first."""
        return await aftersales.work_items(principal, wanted)

    @router.get("/work-items/{work_id}")
    async def read_work_item(work_id: WorkPath, principal: Staff) -> WorkItemView:
        """Read a work item."""
        return await aftersales.work_item(principal, work_id)

    return router


def commands(aftersales: Commands) -> APIRouter:
    """Return the routes that change something."""
    router = APIRouter(prefix="/v1/cases", tags=["aftersales"])

    @router.post("", status_code=201)
    async def request_refund(*, wanted: NewCase, principal: Asking, key: VersionedKey) -> CaseView:
        """Ask for a refund of a paid order; its amount is reserved until the case is decided."""
        return await aftersales.request(principal, wanted, key=key)

    @router.post("/{case_id}/review")
    async def review_case(
        *,
        case_id: CasePath,
        review: Review,
        principal: Deciding,
        version: IfMatch,
        key: VersionedKey,
    ) -> CaseView:
        """Approve or reject a requested case."""
        return await aftersales.review(principal, case_id, review, version=version, key=key)

    @router.post("/{case_id}/refund", dependencies=[Depends(no_fields)])
    async def refund_case(
        *, case_id: CasePath, principal: Deciding, version: IfMatch, key: VersionedKey
    ) -> CaseView:
        """Give the money of an approved case back, once."""
        return await aftersales.refund(principal, case_id, version=version, key=key)

    return router
