"""Rows of incidents and agents. Must not know when they are written."""

import json
from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import AgentStateChanged
from contracts.gateway import MessageHeld
from services.monitor.models import AgentRow, IncidentRow


async def add_incident(session: AsyncSession, held: MessageHeld, categories: Sequence[str]) -> bool:
    """Insert an incident; return False if it is stored already."""
    statement = (
        insert(IncidentRow)
        .values(
            incident_id=held.id,
            shop_id=held.shop_id,
            conversation_id=held.conversation_id,
            agent_id=held.agent_id,
            client_id=held.client_id,
            action=held.action,
            text=held.text,
            categories=list(categories),
            hits=[json.loads(hit.model_dump_json()) for hit in held.hits],
            lexicon_version=held.lexicon_version,
            policy_version=held.policy_version,
            held_ms=round(held.time.timestamp() * 1000),
        )
        .on_conflict_do_nothing()
        .returning(IncidentRow.incident_id)
    )
    return (await session.execute(statement)).scalar() is not None


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
