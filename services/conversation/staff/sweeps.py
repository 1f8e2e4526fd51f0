"""Tells the directory of staff anew where a release before told less of them than this one.

Once each; readers of a release before pass over what they do not know.
"""

from dataclasses import dataclass

from kit import outbox
from kit.clock import Clock
from kit.ids import Ids
from kit.postgres import Database
from services.conversation.domain import Stamp
from services.conversation.staff import repository
from services.conversation.staff.domain import listed_agent


@dataclass(frozen=True)
class StaffRelisting:
    """One use case. To be repeated, or done by two at once, does no harm."""

    db: Database
    clock: Clock
    ids: Ids

    async def older_entries(self) -> int:
        """List everybody whose entry has an older form; return how many those were."""
        count = 0
        while found := await self._some():
            count += found
        return count

    async def _some(self) -> int:
        async with self.db.write_across("staff is listed anew after an upgrade") as session:
            agents = await repository.relist(session)
            stamp = Stamp(self.clock.now(), self.ids)
            await outbox.add(session, *(listed_agent(agent, stamp) for agent in agents))
        return len(agents)
