"""Routes about a shop's staff, and whether its agents are at their desks."""

from typing import Annotated

from fastapi import APIRouter, Path

from kit.web.idempotency import IdempotencyKey
from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page, Paging
from services.conversation.routes import (
    STATE_COST,
    Admin,
    AnyStaff,
    Chatting,
    CommandLimits,
    Leading,
    versioned,
)
from services.conversation.schemas.people import (
    AgentView,
    NewStaff,
    StaffChange,
    StaffView,
    StateChange,
)
from services.conversation.service.staff import Staff
from services.conversation.service.states import States

PersonPath = Annotated[str, Path(max_length=64)]


def routes(staff: Staff, states: States, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/staff and /v1/agents."""
    router = versioned("shops")
    _staff(router, staff, limits)
    _agents(router, states, limits)
    return router


def _staff(router: APIRouter, staff: Staff, limits: CommandLimits) -> None:
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
        principal: Admin, staff_id: PersonPath, change: StaffChange
    ) -> StaffView:
        """Change a member of staff; who loses rights loses his sessions."""
        limits.spend(principal)
        return await staff.change(principal, staff_id, change)


def _agents(router: APIRouter, states: States, limits: CommandLimits) -> None:
    @router.put("/agents/me/state")
    async def set_my_state(principal: Chatting, body: StateChange) -> AgentView:
        """Say whether one receives buyers from now on."""
        limits.spend(principal, STATE_COST)
        return await states.choose(principal, body.state)

    @router.put("/agents/{agent_id}/state")
    async def set_agent_state(
        principal: Leading, agent_id: PersonPath, body: StateChange
    ) -> AgentView:
        """Set an agent's state as his supervisor."""
        limits.spend(principal, STATE_COST)
        return await states.direct(principal, agent_id, body.state)

    @router.get("/agents")
    async def list_agents(
        principal: AnyStaff, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[AgentView]:
        """List who may receive buyers in this shop, with their states."""
        return await states.page(principal, Paging(limit, cursor))
