"""A shop's staff: hired, changed, listed.

Every change that a gateway must know of goes to the directory in the same transaction (H13).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import CHATTING_STAFF, PLATFORM, AgentState, PersonId, Role, ShopId
from kit import outbox
from kit.audit import Audit
from kit.errors import Forbidden, NotFound, Unprocessable
from kit.idempotency import CommandKey
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Passwords, Principal
from kit.web.paging import Cursors, Page, Paged
from kit.web.preconditions import ensure_version
from services.conversation.domain import Stamp, known_form
from services.conversation.groups import repository as skill_groups
from services.conversation.groups.service import groups_named
from services.conversation.staff import hiring, repository
from services.conversation.staff.domain import (
    HIRED,
    Agent,
    action_of,
    change_state,
    listed_agent,
    told,
)
from services.conversation.staff.schemas import NewStaff, StaffChange, StaffView
from services.conversation.staff.withdrawals import end_staff_sessions
from services.conversation.turns import Turns


class Placement(Protocol):
    """What follows in routing when somebody's place changes: `routing`, which stands above."""

    def stamp(self) -> Stamp:
        """Return the moment of a decision that is taken now."""

    async def fill(self, session: AsyncSession, shop_id: ShopId, trigger: str) -> int:
        """Give what waits to whoever has room."""

    async def release_all(
        self, session: AsyncSession, shop_id: ShopId, agent_id: PersonId, trigger: str
    ) -> None:
        """Take everything from an agent who will not come back."""

    async def give_back_unfit_work(self, session: AsyncSession, agent: Agent) -> None:
        """Take from somebody whose role has changed the work that he held by the one before."""


BY_ID: Final[paging.Order[Agent, str]] = paging.by_id("id")


@dataclass(frozen=True)
class Staff:
    """Use cases about staff.

    A password is hashed before the transaction: a hash waits its turn behind logins, and must hold
    no lock meanwhile.
    """

    db: Database
    turns: Turns
    routing: Placement
    passwords: Passwords
    cursors: Cursors
    audit: Audit

    async def hire(self, principal: Principal, body: NewStaff, *, key: CommandKey) -> StaffView:
        """Create a member of staff of the caller's shop.

        Raises `LoginTaken`, `UnknownGroup`, and `Unprocessable` where nobody is served.
        """
        if principal.shop_id == PLATFORM and body.role is not Role.ADMIN:
            raise Unprocessable("The platform is no shop: it has administrators alone.")
        password_hash = await self.passwords.hash(body.password)
        shop_id = ShopId(principal.shop_id)
        async with self.db.keyed(key) as command:
            stamp = self.routing.stamp()
            agent = await hiring.hire(
                command.session, shop_id, body, password_hash=password_hash, stamp=stamp
            )
            await self.audit.note(command.session, principal, HIRED, agent.id, note=agent.role)
            return await command.keep(staff_view(agent, await _codes(command.session, shop_id)))

    async def page(self, principal: Principal, paged: Paged) -> Page[StaffView]:
        """Return a page of the shop's staff."""
        shop_id = principal.shop_id
        query = paging.page(self.cursors, paged, by=BY_ID, shop_id=shop_id, list_name="staff")
        async with self.db.read(shop_id) as session:
            found = await repository.staff_of_shop(
                session, shop_id, after=query.after, limit=query.limit
            )
            codes = await _codes(session, shop_id)
        return query.show(found, lambda one: staff_view(one, codes))

    async def change(
        self,
        principal: Principal,
        agent_id: str,
        change: StaffChange,
        *,
        version: int | None = None,
    ) -> StaffView:
        """Change a member of staff; whoever loses rights loses his sessions too.

        Raises `PreconditionFailed` where somebody else was faster than who names a `version`.
        """
        fresh = change.password
        password_hash = None if fresh is None else await self.passwords.hash(fresh)
        shop_id = ShopId(principal.shop_id)
        async with self.turns.write(shop_id) as session:
            if change.role is Role.BUYER:
                raise Unprocessable("Buyers are not staff.")
            if shop_id == PLATFORM and change.role not in {None, Role.ADMIN}:
                raise Unprocessable("The platform is no shop: it has administrators alone.")
            agent = await _lock_own(session, shop_id, agent_id)
            ensure_version(version, agent.version)
            own = agent.id == principal.subject
            if own and (change.active is False or change.role is not None):
                raise Forbidden("Nobody changes his own role or switches himself off.")
            wanted = change.model_dump(exclude_none=True, exclude={"password", "skill_groups"})
            changed = replace(agent, **wanted, version=agent.version + 1)
            if change.skill_groups is not None:
                groups = await groups_named(session, shop_id, change.skill_groups)
                changed = replace(changed, skill_group_ids=groups)
            await repository.save_agent(session, changed, skills=change.skill_groups is not None)
            changed = await self._consequences(session, agent, changed, password_hash)
            codes = await _codes(session, shop_id)
            note = told(agent, changed, groups=codes, password=fresh is not None)
            action = action_of(agent, changed)
            await self.audit.note(session, principal, action, agent.id, note=note)
            return staff_view(changed, codes)

    async def _consequences(
        self, session: AsyncSession, before: Agent, after: Agent, password_hash: str | None
    ) -> Agent:
        if password_hash is not None:
            await repository.set_password(session, after.id, password_hash)
        stamp = self.routing.stamp()
        if password_hash is not None or after.role is not before.role or not after.active:
            after = await end_staff_sessions(session, after, stamp)
        else:
            await outbox.add(session, listed_agent(after, stamp))
        if not (after.active and after.role in CHATTING_STAFF):
            if after.state is not AgentState.OFFLINE:
                after, event = change_state(after, AgentState.OFFLINE, "deactivated", stamp=stamp)
                await repository.save_agent(session, after)
                await outbox.add(session, *([event] if event else []))
            await self.routing.release_all(session, after.shop_id, after.id, "agent_deactivated")
        else:
            if after.role is not before.role:
                await self.routing.give_back_unfit_work(session, after)
            await self.routing.fill(session, after.shop_id, "staff_changed")
        return after


async def _lock_own(session: AsyncSession, shop_id: ShopId, agent_id: str) -> Agent:
    agent = await repository.find_agent(session, known_form(agent_id), lock=True)
    if agent is None or agent.shop_id != shop_id:
        raise NotFound
    return agent


async def _codes(session: AsyncSession, shop_id: str) -> dict[str, str]:
    groups = await skill_groups.groups_of_shop(session, shop_id)
    return {group.id: group.code for group in groups}


def staff_view(agent: Agent, groups: Mapping[str, str]) -> StaffView:
    """Show a member of staff; `groups` maps ids of skill groups to their codes."""
    return StaffView(
        id=agent.id,
        login=agent.login,
        name=agent.name,
        role=agent.role,
        active=agent.active,
        capacity=agent.capacity,
        skill_groups=tuple(sorted(groups[one] for one in agent.skill_group_ids)),
        state=agent.state,
        state_since=agent.state_since,
        version=agent.version,
    )
