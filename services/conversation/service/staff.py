"""A shop's staff: hired, changed, listed.

Every change that a gateway must know of goes to the directory in the same transaction (H13).
"""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import CHATTING_STAFF, AgentState, Role, ShopId
from kit import outbox
from kit.errors import Forbidden, NotFound, Unprocessable
from kit.idempotency import CommandKey
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Passwords, Principal
from kit.web.paging import Cursors, Page, Paged
from services.conversation.domain import known_form
from services.conversation.domain.people import Agent, change_state, listed_agent
from services.conversation.repository import conversations, people
from services.conversation.schemas.people import NewStaff, StaffChange, StaffView
from services.conversation.service import joining
from services.conversation.service.routing import Routing
from services.conversation.service.sessions import end_staff_sessions
from services.conversation.service.views import staff_view

BY_ID: Final[paging.Order[Agent, str]] = paging.by_id("id")


@dataclass(frozen=True)
class Staff:
    """Use cases about staff.

    A password is hashed before the transaction: a hash waits its turn behind logins, and must hold
    no lock meanwhile.
    """

    db: Database
    routing: Routing
    passwords: Passwords
    cursors: Cursors

    async def hire(self, principal: Principal, body: NewStaff, *, key: CommandKey) -> StaffView:
        """Create a member of staff of the caller's shop. Raises `LoginTaken`, `UnknownGroup`."""
        password_hash = await self.passwords.hash(body.password)
        shop_id = ShopId(principal.shop_id)
        async with self.db.keyed(key) as command:
            stamp = self.routing.stamp()
            agent = await joining.hire(
                command.session, shop_id, body, password_hash=password_hash, stamp=stamp
            )
            return await command.keep(staff_view(agent, await _codes(command.session, shop_id)))

    async def page(self, principal: Principal, wanted: Paged) -> Page[StaffView]:
        """Return a page of the shop's staff."""
        shop_id = principal.shop_id
        query = paging.page(self.cursors, wanted, by=BY_ID, shop_id=shop_id, list_name="staff")
        async with self.db.read(shop_id) as session:
            found = await people.staff_of_shop(
                session, shop_id, after=query.after, limit=query.limit
            )
            codes = await _codes(session, shop_id)
        return query.show(found, lambda one: staff_view(one, codes))

    async def change(self, principal: Principal, agent_id: str, change: StaffChange) -> StaffView:
        """Change a member of staff; whoever loses rights loses his sessions too."""
        fresh = change.password
        password_hash = None if fresh is None else await self.passwords.hash(fresh)
        shop_id = ShopId(principal.shop_id)
        async with self.db.write(shop_id) as session:
            if change.role is Role.BUYER:
                raise Unprocessable("Buyers are not staff.")
            await conversations.lock_shops(session, [shop_id])
            agent = await _lock_own(session, shop_id, agent_id)
            own = agent.id == principal.subject
            if own and (change.active is False or change.role is not None):
                raise Forbidden("Nobody changes his own role or switches himself off.")
            wanted = change.model_dump(exclude_none=True, exclude={"password", "skill_groups"})
            changed = replace(agent, **wanted, version=agent.version + 1)
            if change.skill_groups is not None:
                groups = await joining.groups_named(session, shop_id, change.skill_groups)
                changed = replace(changed, skill_group_ids=groups)
            await people.save_agent(session, changed, skills=change.skill_groups is not None)
            changed = await self._consequences(session, agent, changed, password_hash)
            return staff_view(changed, await _codes(session, shop_id))

    async def _consequences(
        self, session: AsyncSession, before: Agent, after: Agent, password_hash: str | None
    ) -> Agent:
        if password_hash is not None:
            await people.set_password(session, after.id, password_hash)
        stamp = self.routing.stamp()
        if password_hash is not None or after.role is not before.role or not after.active:
            after = await end_staff_sessions(session, after, stamp)
        else:
            await outbox.add(session, listed_agent(after, stamp))
        if not (after.active and after.role in CHATTING_STAFF):
            if after.state is not AgentState.OFFLINE:
                after, event = change_state(after, AgentState.OFFLINE, "deactivated", stamp)
                await people.save_agent(session, after)
                await outbox.add(session, *([event] if event else []))
            await self.routing.release_all(session, after.shop_id, after.id, "agent_deactivated")
        else:
            await self.routing.fill(session, after.shop_id, "staff_changed")
        return after


async def _lock_own(session: AsyncSession, shop_id: ShopId, agent_id: str) -> Agent:
    agent = await people.find_agent(session, known_form(agent_id), lock=True)
    if agent is None or agent.shop_id != shop_id:
        raise NotFound
    return agent


async def _codes(session: AsyncSession, shop_id: str) -> dict[str, str]:
    groups = await people.groups_of_shop(session, shop_id)
    return {group.id: group.code for group in groups}
