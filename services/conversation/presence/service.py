"""Whether agents are at their desks: as they say, as their leader says, as gateways report."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import AgentStateChanged
from contracts.people import CHATTING_STAFF, AgentState, PersonId, ShopId
from kit import outbox
from kit.errors import Conflict, NotFound
from kit.postgres import Database
from kit.web import paging
from kit.web.auth import Principal
from kit.web.paging import Cursors, Page, Paged
from services.conversation.domain import known_form
from services.conversation.presence.schemas import AgentView
from services.conversation.presence.views import loaded
from services.conversation.routing import repository as routing
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
from services.conversation.turns import Turns


class NotAnAgent(Conflict):
    """Only staff who may hold a conversation have a state."""

    slug, title = "not_an_agent", "This role does not receive buyers"


Reported: TypeAlias = Literal["heartbeat_lost", "returned"]
"""What reports can say of somebody."""


@dataclass(frozen=True, slots=True)
class Followed:
    """People as they are now, and whose state changed, or who has to be taken something from."""

    people: list[AtWork]
    changed: list[PersonId]


BY_ID: Final[paging.Order[Agent, str]] = paging.by_id("id")


@dataclass(frozen=True)
class States:
    """Use cases about agents' states."""

    db: Database
    turns: Turns
    routing: Routing
    cursors: Cursors

    async def choose(self, principal: Principal, state: AgentState) -> AgentView:
        """Set the caller's own state. Raises `SuspendedByLeader`, which a leader alone lifts."""
        async with self.turns.write(principal.shop_id) as session:
            return agent_view(await self._set(session, principal.subject, state, "own_choice"))

    async def direct(self, principal: Principal, agent_id: str, state: AgentState) -> AgentView:
        """Set the state of an agent of the caller's shop. Raises `NotFound`, `NotAnAgent`.

        A suspension stands until a leader sets another state (H38).
        """
        async with self.turns.write(principal.shop_id) as session:
            known = await staff.find_agent(session, known_form(agent_id))
            if known is None or known.shop_id != principal.shop_id:
                raise NotFound
            leader = PersonId(principal.subject)
            changed = await self._set(session, known.id, state, "supervisor", leader=leader)
            return agent_view(changed)

    async def page(
        self, principal: Principal, wanted: Paged, *, with_load: bool = False
    ) -> Page[AgentView]:
        """Return a page of who may receive buyers in the caller's shop."""
        shop_id = principal.shop_id
        query = paging.page(self.cursors, wanted, by=BY_ID, shop_id=shop_id, list_name="agents")
        async with self.db.read(shop_id) as session:
            found = await staff.chatting(session, shop_id, after=query.after, limit=query.limit)
            page = query.show(found, agent_view)
            if with_load:
                page.items = await loaded(session, ShopId(shop_id), page.items)
        return page

    async def at_work(self) -> list[AtWork]:
        """Return everybody who is not offline, or would come back from a lost connection.

        And whoever took conversations off duty: they are his while a gateway carries him.
        """
        async with self.db.read_across("presence is reported for all shops at once") as session:
            people = {one.id: one for one in await staff.at_work(session)}
            people |= {one.id: one for one in await routing.takers(session)}
        return list(people.values())

    async def follow(
        self,
        shop_id: ShopId,
        people: Collection[PersonId],
        reason: Reported,
    ) -> Followed:
        """Set what presence reports say of people of one shop; `route` brings about the rest.

        Who is lost is offline; who returned is what he was, if nothing else was said meanwhile.
        Whom a rule excludes is left as he is. Work of the lost goes back into the queue at once.
        """
        async with self.turns.write(shop_id) as session:
            agents = await staff.lock_agents(session, shop_id, sorted(people))
            changed: list[Agent] = []
            events: list[AgentStateChanged] = []
            for agent in agents:
                state = AgentState.OFFLINE if reason == "heartbeat_lost" else agent.resume_state
                if state is None or not _may_be(agent, state):
                    continue
                after, event = change_state(agent, state, reason, stamp=self.routing.stamp())
                if event is not None:
                    changed.append(after)
                    events.append(event)
            await staff.save_agents(session, changed)
            await outbox.add(session, *events)
            gone = [one.id for one in changed if one.state is AgentState.OFFLINE]
            await self.routing.give_back_work(session, shop_id, gone)
            moved = {one.id for one in changed}
            if reason == "heartbeat_lost":
                moved |= await routing.takers_of(session, shop_id, [one.id for one in agents])
        known = {agent.id: agent for agent in (*agents, *changed)}
        people_now = [
            AtWork(one.id, shop_id, one.state, one.resume_state) for one in known.values()
        ]
        return Followed(people_now, sorted(moved))

    async def route(self, shop_id: ShopId, people: Collection[PersonId], reason: Reported) -> None:
        """Route once for people whose states `follow` has set, as they are by now (H39)."""
        async with self.turns.write(shop_id) as session:
            agents = await staff.lock_agents(session, shop_id, sorted(people))
            await self._route(session, shop_id, agents, reason)

    async def _set(
        self,
        session: AsyncSession,
        agent_id: str,
        state: AgentState,
        reason: Literal["own_choice", "supervisor"],
        *,
        leader: PersonId | None = None,
    ) -> Agent:
        """Set whether an agent receives buyers, and route accordingly (C3)."""
        agent = await staff.find_agent(session, known_form(agent_id), lock=True)
        if agent is None:
            raise NotFound
        if agent.role not in CHATTING_STAFF:
            raise NotAnAgent
        if not _may_be(agent, state):
            raise NotFound
        stamp = self.routing.stamp()
        changed, event = change_state(agent, state, reason, stamp=stamp, leader=leader)
        await staff.save_agent(session, changed)
        if event is not None:
            await outbox.add(session, event)
            await self._route(session, agent.shop_id, [changed], reason)
        return changed

    async def _route(
        self, session: AsyncSession, shop_id: ShopId, agents: Sequence[Agent], reason: StateReason
    ) -> None:
        """Bring about what follows from their new states, in one go."""
        away = [one.id for one in agents if one.state in AWAY]
        if away:
            gone = [one.id for one in agents if one.state is AgentState.OFFLINE]
            await self.routing.give_back_work(session, shop_id, gone)
            if reason == "heartbeat_lost":
                await self.routing.release_taken(session, shop_id, gone, f"agent_{reason}")
            await self.routing.release(session, shop_id, away, f"agent_{reason}")
        elif any(one.state in AT_DESK for one in agents):
            await self.routing.fill(session, shop_id, "agent_online")


def _may_be(agent: Agent, state: AgentState) -> bool:
    """Tell whether he may have this state: whoever was dismissed is offline and nothing else."""
    return agent.role in CHATTING_STAFF and (agent.active or state is AgentState.OFFLINE)


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
