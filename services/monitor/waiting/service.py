"""Answers who waits. Must not know routes or SQL."""

from datetime import UTC, datetime

from contracts.monitor import WaitingBuyer
from contracts.people import ShopId
from kit.postgres import Database
from services.monitor.response import repository as response
from services.monitor.traffic import repository as traffic
from services.monitor.waiting.schemas import Waiting


class Waiters:
    """The buyers of one shop who wait."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def read(self, shop_id: ShopId, *, limit: int) -> Waiting:
        """Return who waits, longest first."""
        async with self._db.read(shop_id) as session:
            found = await response.waits(session, shop_id, limit=limit)
            loads = await response.loads(session, shop_id, breach_before_ms=0)
            as_of = await traffic.as_of_ms(session, shop_id)
        return Waiting(
            as_of=None if as_of is None else _moment(as_of),
            waiting=sum(load.waiting for load in loads),
            items=[
                WaitingBuyer(
                    conversation_id=wait.conversation_id,
                    agent_id=wait.agent_id,
                    waiting_since=_moment(wait.since_ms),
                )
                for wait in found
            ],
        )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
