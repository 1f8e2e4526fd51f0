"""Routes about a shop's staff."""

from fastapi import APIRouter, Response

from kit.web.idempotency import IdempotencyKey
from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page, Paging
from kit.web.preconditions import IfMatchGiven, etag
from services.conversation.access.routes import Admin, CommandLimits, Leading, PersonPath, versioned
from services.conversation.staff.schemas import NewStaff, StaffChange, StaffView
from services.conversation.staff.service import Staff


def routes(staff: Staff, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/staff."""
    router = versioned("shops")

    @router.post("/staff", status_code=201)
    async def create_staff(principal: Admin, key: IdempotencyKey, body: NewStaff) -> StaffView:
        """Create a member of staff of one's own shop."""
        limits.spend(principal)
        return await staff.hire(principal, body, key=key)

    @router.get("/staff")
    async def list_staff(
        principal: Leading, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[StaffView]:
        """List the shop's staff."""
        return await staff.page(principal, Paging(limit, cursor))

    @router.patch("/staff/{staff_id}")
    async def change_staff(
        *,
        principal: Admin,
        staff_id: PersonPath,
        version: IfMatchGiven,
        change: StaffChange,
        response: Response,
    ) -> StaffView:
        """Change a member of staff; who loses rights loses his sessions."""
        limits.spend(principal)
        shown = await staff.change(principal, staff_id, change, version=version)
        response.headers["ETag"] = etag(shown.version)
        return shown

    return router
