"""Rows of agents and of their states. Must not know when they are written."""

from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import AgentStateChanged
from contracts.people import AgentState, PersonId, ShopId
from services.monitor.facts.models import AgentRow, AgentStateRow


class Seat(NamedTuple):
    """An agent as the topic `staff` told of him last."""

    agent_id: PersonId
    name: str
    role: str
    state: AgentState
    since_ms: int


async def put_agent(session: AsyncSession, changed: AgentStateChanged) -> None:
    """Insert or update an agent's state, unless the stored version is as new."""
    statement = insert(AgentRow).values(
        agent_id=changed.agent_id,
        shop_id=changed.shop_id,
        name=changed.name,
        role=changed.role.value,
        state=changed.state.value,
        since=changed.since,
        version=changed.version,
    )
    fresh = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[AgentRow.agent_id],
            set_={
                "name": fresh.name,
                "role": fresh.role,
                "state": fresh.state,
                "since": fresh.since,
                "version": fresh.version,
            },
            where=AgentRow.version < fresh.version,
        )
    )


async def keep_state(session: AsyncSession, changed: AgentStateChanged) -> None:
    """Insert a change of an agent's state, unless it is known."""
    statement = insert(AgentStateRow).values(
        agent_id=changed.agent_id,
        version=changed.version,
        shop_id=changed.shop_id,
        state=changed.state.value,
        previous=changed.previous.value,
        since_ms=round(changed.since.timestamp() * 1000),
    )
    fresh = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[AgentStateRow.agent_id, AgentStateRow.version],
            # Of a state that an upgrade took over it becomes known what it followed.
            set_={"previous": fresh.previous},
            where=AgentStateRow.previous.is_(None),
        )
    )


async def seats(session: AsyncSession, shop_id: ShopId) -> list[Seat]:
    """Return the shop's agents."""
    rows = await session.execute(_SEATS, {"shop": shop_id})
    return [
        Seat(PersonId(agent), name, role, AgentState(state), since)
        for agent, name, role, state, since in rows
    ]


_SEATS: Final = text(
    """
    select agent_id, name, role, state, cast(extract(epoch from since) * 1000 as bigint)
    from agents where shop_id = :shop order by name, agent_id
    """
)
