"""Routes about shops, staff, skill groups and agents' states."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PLATFORM, ShopId
from kit.errors import Forbidden, NotFound
from kit.web.auth import Caller, Principal
from kit.web.idempotency import IdempotencyKey
from kit.web.paging import PAGE_DEFAULT, BadCursor, CursorText, Limit, Page
from services.conversation.domain import known_form
from services.conversation.domain.people import Agent, Shop
from services.conversation.repository import people
from services.conversation.routes import (
    POLICY_COST,
    STATE_COST,
    Admin,
    AnyStaff,
    Chatting,
    Leading,
    Shared,
    router,
)
from services.conversation.schemas.people import (
    AgentView,
    GroupView,
    NewGroup,
    NewShop,
    NewStaff,
    SecretRotated,
    SecretView,
    ShopView,
    StaffChange,
    StaffView,
    StateChange,
    WordingPolicy,
)
from services.conversation.service.staff import Staff, staff_view

ShopPath = Annotated[str, Path(max_length=64)]


def routes(shared: Shared, staff: Staff) -> APIRouter:
    """Return the routes under /v1/shops, /v1/staff, /v1/skill-groups and /v1/agents."""
    api = router("shops")
    _shops(api, shared, staff)
    _secrets(api, shared, staff)
    _people(api, shared, staff)
    _groups(api, shared, staff)
    _agents(api, shared, staff)
    return api


def _shops(api: APIRouter, shared: Shared, staff: Staff) -> None:
    @api.post("/shops", status_code=201, response_model=ShopView)
    async def create_shop(caller: Admin, key: IdempotencyKey, wish: NewShop) -> Response:
        """Create a shop with its first administrator; for the platform's administrator."""
        if caller.shop_id != PLATFORM:
            raise Forbidden

        password_hash = await staff.passwords.hash(wish.admin_password)

        async def command(session: AsyncSession) -> ShopView:
            shop, secret = await staff.create_shop(session, wish, password_hash)
            return _shop_view(shop, secret)

        return await shared.once(caller, key, command, status=201)

    @api.get("/shops/{shop_id}")
    async def read_shop(caller: Caller, shop_id: ShopPath) -> ShopView:
        """Read one's own shop; the platform's administrator reads any."""
        _own_shop(caller, shop_id)
        async with shared.db.read() as session:
            shop = await people.find_shop(session, shop_id)
        if shop is None:
            raise NotFound
        return _shop_view(shop)


def _secrets(api: APIRouter, shared: Shared, staff: Staff) -> None:
    @api.get("/shops/{shop_id}/secret")
    async def show_secret(caller: Admin, shop_id: ShopPath) -> SecretView:
        """Show the shop's secret to its administrator; recorded in the audit."""
        if shop_id != caller.shop_id:
            raise NotFound
        shared.commands.spend(caller)
        async with shared.db.write() as session:
            return await staff.show_secret(session, caller)

    @api.post("/shops/{shop_id}/secret-rotations", response_model=SecretRotated)
    async def rotate_secret(caller: Admin, key: IdempotencyKey, shop_id: ShopPath) -> Response:
        """Make a new secret; the one before stays valid until the next rotation."""
        if shop_id != caller.shop_id:
            raise NotFound
        return await shared.once(
            caller, key, lambda session: staff.rotate_secret(session, caller), status=201
        )

    @api.put("/shops/{shop_id}/wording-policy")
    async def set_wording_policy(
        caller: Leading, shop_id: ShopPath, policy: WordingPolicy
    ) -> ShopView:
        """Replace the shop's wording policy; gateways follow within seconds."""
        if shop_id != caller.shop_id:
            raise NotFound
        shared.commands.spend(caller, POLICY_COST)
        allows_abuse = await staff.allowed_abuse.is_in(policy)
        async with shared.db.write() as session:
            shop = await staff.set_policy(session, caller, policy, allows_abuse=allows_abuse)
            return _shop_view(shop)


def _people(api: APIRouter, shared: Shared, staff: Staff) -> None:
    @api.post("/staff", status_code=201, response_model=StaffView)
    async def create_staff(caller: Admin, key: IdempotencyKey, wish: NewStaff) -> Response:
        """Create a member of staff of one's own shop."""
        password_hash = await staff.passwords.hash(wish.password)

        async def command(session: AsyncSession) -> StaffView:
            agent = await staff.hire(session, ShopId(caller.shop_id), wish, password_hash)
            return staff_view(agent, await _codes(session, caller))

        return await shared.once(caller, key, command, status=201)

    @api.get("/staff")
    async def list_staff(
        caller: Leading, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[StaffView]:
        """List the shop's staff."""
        after = _after(shared, caller, cursor, "staff")
        async with shared.db.read() as session:
            found = await people.staff_of_shop(
                session, caller.shop_id, after=after, limit=limit + 1
            )
            codes = await _codes(session, caller)
        shown, following = _page(shared, caller, found, limit=limit, name="staff")
        return Page(items=[staff_view(agent, codes) for agent in shown], next_cursor=following)

    @api.patch("/staff/{staff_id}")
    async def change_staff(
        caller: Admin, staff_id: Annotated[str, Path(max_length=64)], change: StaffChange
    ) -> StaffView:
        """Change a member of staff; who loses rights loses his sessions."""
        shared.commands.spend(caller)
        fresh = change.password
        hashed = None if fresh is None else await staff.passwords.hash(fresh)
        async with shared.db.write() as session:
            agent = await staff.change(session, caller, staff_id, change, password_hash=hashed)
            return staff_view(agent, await _codes(session, caller))


def _groups(api: APIRouter, shared: Shared, staff: Staff) -> None:
    @api.post("/skill-groups", status_code=201, response_model=GroupView)
    async def create_skill_group(caller: Admin, key: IdempotencyKey, wish: NewGroup) -> Response:
        """Create a skill group."""

        async def command(session: AsyncSession) -> GroupView:
            group = await staff.create_group(session, ShopId(caller.shop_id), wish)
            return GroupView(id=group.id, code=group.code, name=group.name)

        return await shared.once(caller, key, command, status=201)

    @api.get("/skill-groups")
    async def list_skill_groups(caller: Caller) -> Page[GroupView]:
        """List the shop's skill groups: what a buyer may name as topic, a transfer as target."""
        async with shared.db.read() as session:
            found = await people.groups_of_shop(session, caller.shop_id)
        return Page(items=[GroupView(id=one.id, code=one.code, name=one.name) for one in found])


def _agents(api: APIRouter, shared: Shared, staff: Staff) -> None:
    @api.put("/agents/me/state")
    async def set_my_state(caller: Chatting, wish: StateChange) -> AgentView:
        """Say whether one receives buyers from now on."""
        shared.commands.spend(caller, STATE_COST)
        async with shared.db.write() as session:
            agent = await staff.set_state(session, caller.subject, wish.state, "own_choice")
        return _agent_view(agent)

    @api.put("/agents/{agent_id}/state")
    async def set_agent_state(
        caller: Leading, agent_id: Annotated[str, Path(max_length=64)], wish: StateChange
    ) -> AgentView:
        """Set an agent's state as his supervisor."""
        shared.commands.spend(caller, STATE_COST)
        async with shared.db.write() as session:
            known = await people.find_agent(session, known_form(agent_id))
            if known is None or known.shop_id != caller.shop_id:
                raise NotFound
            agent = await staff.set_state(session, known.id, wish.state, "supervisor")
        return _agent_view(agent)

    @api.get("/agents")
    async def list_agents(
        caller: AnyStaff, limit: Limit = PAGE_DEFAULT, cursor: CursorText = None
    ) -> Page[AgentView]:
        """List who may receive buyers in this shop, with their states."""
        after = _after(shared, caller, cursor, "agents")
        async with shared.db.read() as session:
            found = await people.chatting(session, caller.shop_id, after=after, limit=limit + 1)
        shown, following = _page(shared, caller, found, limit=limit, name="agents")
        return Page(items=[_agent_view(one) for one in shown], next_cursor=following)


async def _codes(session: AsyncSession, caller: Principal) -> dict[str, str]:
    groups = await people.groups_of_shop(session, caller.shop_id)
    return {group.id: group.code for group in groups}


def _after(shared: Shared, caller: Principal, cursor: str | None, list_name: str) -> str | None:
    if cursor is None:
        return None
    place = shared.cursors.decode(cursor, caller.shop_id, list_name=list_name).get("id")
    if not isinstance(place, str):
        raise BadCursor
    return place


def _page(
    shared: Shared, caller: Principal, found: list[Agent], *, limit: int, name: str
) -> tuple[list[Agent], str | None]:
    """Return what a page shows of `found`, one more than `limit` if it goes on, and its cursor."""
    if len(found) <= limit:
        return found, None
    place = {"id": found[limit - 1].id}
    return found[:limit], shared.cursors.encode(place, caller.shop_id, list_name=name)


def _own_shop(caller: Principal, shop_id: str) -> None:
    if caller.shop_id not in {shop_id, PLATFORM}:
        raise NotFound


def _shop_view(shop: Shop, secret: str | None = None) -> ShopView:
    return ShopView(
        id=shop.id,
        name=shop.name,
        time_zone=shop.time_zone,
        active=shop.active,
        version=shop.version,
        policy=shop.policy,
        secret=secret,
    )


def _agent_view(agent: Agent) -> AgentView:
    return AgentView(
        id=agent.id,
        name=agent.name,
        role=agent.role,
        state=agent.state,
        state_since=agent.state_since,
        version=agent.state_version,
    )
