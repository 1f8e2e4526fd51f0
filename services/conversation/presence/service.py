"""Whether agents are at their desks: as they say, as their leader says, as gateways report."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import CHATTING_STAFF, AgentState, PersonId
from kit import outbox
from kit.errors import Conflict, NotFound
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page, Paged
from services.conversation import turns
from services.conversation.domain import known_form
from services.conversation.presence.schemas import AgentView
from services.conversation.routing.service import Routing
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import (
    AT_DESK,
    AWAY,
    Agent,
    AtWork,
    StateReason,
    change_state,
)


class NotAnAgent(Conflict):
    """Only staff who may hold a conversation have a state."""

    slug, title = "not_an_agent", "This role does not receive buyers"


BY_ID: Final[paging.Order[Agent, str]] = paging.by_id("id")


@dataclass(frozen=True)
class States:
    """Use cases about agents' states."""

    db: Database
    routing: Routing
    cursors: Cursors

    async def choose(self, principal: Principal, state: AgentState) -> AgentView:
        """Set the caller's own state. Raises `SuspendedByLeader`, which a leader alone lifts."""
        async with self.db.write(principal.shop_id) as session:
            return agent_view(await self._set(session, principal.subject, state, "own_choice"))

    async def direct(self, principal: Principal, agent_id: str, state: AgentState) -> AgentView:
        """Set the state of an agent of the caller's shop. Raises `NotFound`, `NotAnAgent`.

        A suspension stands until a leader sets another state (H38).
        """
        async with self.db.write(principal.shop_id) as session:
            known = await staff.find_agent(session, known_form(agent_id))
            if known is None or known.shop_id != principal.shop_id:
                raise NotFound
            leader = PersonId(principal.subject)
            changed = await self._set(session, known.id, state, "supervisor", leader=leader)
            return agent_view(changed)

    async def page(self, principal: Principal, wanted: Paged) -> Page[AgentView]:
        """Return a page of who may receive buyers in the caller's shop."""
        shop_id = principal.shop_id
        query = paging.page(self.cursors, wanted, by=BY_ID, shop_id=shop_id, list_name="agents")
        async with self.db.read(shop_id) as session:
            found = await staff.chatting(session, shop_id, after=query.after, limit=query.limit)
        return query.show(found, agent_view)

    async def at_work(self) -> list[AtWork]:
        """Return everybody who is not offline, or would come back from a lost connection."""
        async with self.db.read_across("presence is reported for all shops at once") as session:
            return await staff.at_work(session)

    async def follow(self, person: AtWork, state: AgentState, reason: StateReason) -> None:
        """Set the state that presence reports give a person. Raises `NotFound`, `NotAnAgent`."""
        async with self.db.write(person.shop_id) as session:
            await self._set(session, person.id, state, reason)

    async def _set(
        self,
        session: AsyncSession,
        agent_id: str,
        state: AgentState,
        reason: StateReason,
        *,
        leader: PersonId | None = None,
    ) -> Agent:
        """Set whether an agent receives buyers, and route accordingly (C3)."""
        known = await staff.find_agent(session, known_form(agent_id))
        if known is None:
            raise NotFound
        if known.role not in CHATTING_STAFF:
            raise NotAnAgent
        await turns.lock_shops(session, [known.shop_id])
        agent = await staff.find_agent(session, known.id, lock=True)
        if agent is None or (not agent.active and state is not AgentState.OFFLINE):
            raise NotFound
        stamp = self.routing.stamp()
        changed, event = change_state(agent, state, reason, stamp, leader=leader)
        await staff.save_agent(session, changed)
        if event is not None:
            await outbox.add(session, event)
            await self._route(session, changed, reason)
        return changed

    async def _route(self, session: AsyncSession, agent: Agent, reason: StateReason) -> None:
        if agent.state in AT_DESK:
            await self.routing.fill(session, agent.shop_id, "agent_online")
        elif agent.state in AWAY:
            if agent.state is AgentState.OFFLINE:
                await self.routing.give_back_work(session, agent.shop_id, [agent.id])
            await self.routing.release(session, agent.shop_id, [agent.id], f"agent_{reason}")


def agent_view(agent: Agent) -> AgentView:
    """Show a member of staff to colleagues."""
    return AgentView(
        id=agent.id,
        name=agent.name,
        role=agent.role,
        state=agent.state,
        state_since=agent.state_since,
        version=agent.state_version,
    )
