"""What others tell beside the chat log. A repeated event changes nothing."""

from contracts.conversation import AgentStateChanged
from kit.postgres import Database
from services.monitor.facts import repository


class Facts:
    """Takes facts of other services."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def note_agent(self, changed: AgentStateChanged) -> None:
        """Store an agent's state unless a newer one is known, and that it changed."""
        async with self._db.write(changed.shop_id) as session:
            await repository.put_agent(session, changed)
            await repository.keep_state(session, changed)
