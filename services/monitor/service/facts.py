"""What others tell beside the chat log: held messages, agents' states, the directory.

Each use case is one transaction, or a change in memory; a repeated event changes nothing.
"""

from contracts.conversation import AgentStateChanged, PersonListed, ShopListed
from contracts.gateway import MessageHeld
from contracts.monitor import IncidentStored
from kit import outbox
from kit.ids import derived_id
from kit.postgres import Database
from services.monitor.repository import facts
from services.monitor.repository.directory import Directory


class Facts:
    """Takes facts of other services."""

    def __init__(self, database: Database, directory: Directory) -> None:
        self._db = database
        self._directory = directory

    async def keep_incident(self, held: MessageHeld) -> None:
        """Store a held message and tell supervisors, once."""
        categories = tuple(sorted({hit.category for hit in held.hits}))
        async with self._db.write(held.shop_id) as session:
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

    async def note_agent(self, changed: AgentStateChanged) -> None:
        """Store an agent's state unless a newer one is known."""
        async with self._db.write(changed.shop_id) as session:
            await facts.put_agent(session, changed)

    def list_shop(self, entry: ShopListed) -> None:
        """Take a shop's entry in, unless a newer one is known."""
        self._directory.list_shop(entry)

    def list_person(self, entry: PersonListed) -> None:
        """Take a person's entry in, unless a newer one is known."""
        self._directory.list_person(entry)
