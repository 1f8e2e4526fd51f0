"""Keeps the evidence of held messages and the states of agents.

Each use case is one transaction; a repeated event changes nothing.
"""

from contracts.conversation import AgentStateChanged
from contracts.gateway import MessageHeld
from contracts.monitor import IncidentStored
from kit import outbox
from kit.ids import derived_id
from kit.postgres import Database
from services.monitor.repository import facts


async def keep(database: Database, held: MessageHeld) -> None:
    """Store a held message and tell supervisors, once."""
    categories = tuple(sorted({hit.category for hit in held.hits}))
    async with database.write() as session:
        if await facts.add_incident(session, held, categories):
            await outbox.add(
                session,
                IncidentStored(
                    id=derived_id("incident_stored", held.id),
                    time=held.time,
                    shop_id=held.shop_id,
                    incident_id=held.id,
                    conversation_id=held.conversation_id,
                    agent_id=held.agent_id,
                    action=held.action,
                    categories=categories,
                ),
            )


async def note_agent(database: Database, changed: AgentStateChanged) -> None:
    """Store an agent's state unless a newer one is known."""
    async with database.write() as session:
        await facts.put_agent(session, changed)
