"""Routes about agents' states."""

from typing import Literal

from fastapi import APIRouter

from kit.web.paging import PAGE_DEFAULT, CursorText, Limit, Page, Paging
from services.conversation.access.routes import (
    STATE_COST,
    AnyStaff,
    Chatting,
    CommandLimits,
    Leading,
    PersonPath,
    versioned,
)
from services.conversation.presence.schemas import AgentView, StateChange
from services.conversation.presence.service import States


def routes(states: States, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/agents."""
    router = versioned("shops")

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
        *,
        principal: AnyStaff,
        limit: Limit = PAGE_DEFAULT,
        cursor: CursorText = None,
        fields: Literal["load"] | None = None,
    ) -> Page[AgentView]:
        """List who may receive buyers in this shop, with their states; with `fields=load` how full.

        For who hands a conversation on: it is asked, and pushed to nobody.
        """
        page = Paging(limit, cursor)
        return await states.page(principal, page, with_load=fields == "load")

    return router
