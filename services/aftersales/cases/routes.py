"""The HTTP door for people: buyers ask for refunds, staff decide on them. Knows no table."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from contracts.people import CHATTING_STAFF, CaseId, Role
from kit.web.auth import Caller, Principal, require
from kit.web.idempotency import VersionedKey
from kit.web.paging import Page
from kit.web.preconditions import IfMatch, etag
from services.aftersales.cases.schemas import (
    CaseFilter,
    CaseView,
    NewCase,
    Nothing,
    Review,
)
from services.aftersales.cases.service import CaseCommands, CaseReading

_DECIDING: Final = (Role.AFTERSALES, Role.SUPERVISOR)

CasePath = Annotated[CaseId, Path(max_length=64)]
Asking = Annotated[Principal, Depends(require(Role.BUYER, *CHATTING_STAFF))]
Deciding = Annotated[Principal, Depends(require(*_DECIDING))]


async def no_fields(_body: Nothing | None = None) -> None:
    """Refuse fields that the command would not look at."""


def reading(cases: CaseReading) -> APIRouter:
    """Return the routes that read."""
    router = APIRouter(prefix="/v1", tags=["aftersales"])

    @router.get("/cases")
    async def list_cases(
        principal: Caller, query: Annotated[CaseFilter, Query()]
    ) -> Page[CaseView]:
        """List cases, newest first: a buyer's own, or the shop's."""
        return await cases.page(principal, query)

    @router.get("/cases/{case_id}")
    async def read_case(*, case_id: CasePath, principal: Caller, response: Response) -> CaseView:
        """Read a case; its ETag is what commands want as If-Match."""
        found = await cases.read(principal, case_id)
        response.headers["ETag"] = etag(found.version)
        return found

    return router


def commands(cases: CaseCommands) -> APIRouter:
    """Return the routes that change something."""
    router = APIRouter(prefix="/v1/cases", tags=["aftersales"])

    @router.post("", status_code=201)
    async def request_refund(
        *, new_case: NewCase, principal: Asking, key: VersionedKey
    ) -> CaseView:
        """Ask for a refund of a paid order; its amount is reserved until the case is decided."""
        return await cases.request(principal, new_case, key=key)

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
        return await cases.review(principal, case_id, review, version=version, key=key)

    @router.post("/{case_id}/refund", dependencies=[Depends(no_fields)])
    async def refund_case(
        *, case_id: CasePath, principal: Deciding, version: IfMatch, key: VersionedKey
    ) -> CaseView:
        """Give the money of an approved case back, once."""
        return await cases.refund(principal, case_id, version=version, key=key)

    return router
