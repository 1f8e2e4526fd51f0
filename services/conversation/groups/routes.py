"""Routes about skill groups."""

from fastapi import APIRouter

from kit.web.auth import Caller
from kit.web.idempotency import IdempotencyKey
from kit.web.paging import Page
from services.conversation.access.routes import Admin, CommandLimits, versioned
from services.conversation.groups.schemas import GroupView, NewGroup
from services.conversation.groups.service import SkillGroups


def routes(groups: SkillGroups, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/skill-groups."""
    router = versioned("shops")

    @router.post("/skill-groups", status_code=201)
    async def create_skill_group(
        principal: Admin, key: IdempotencyKey, body: NewGroup
    ) -> GroupView:
        """Create a skill group."""
        limits.spend(principal)
        return await groups.create(principal, body, key=key)

    @router.get("/skill-groups")
    async def list_skill_groups(principal: Caller) -> Page[GroupView]:
        """List the shop's skill groups: what a buyer may name as topic, a transfer as target."""
        return await groups.listed(principal)

    return router
