"""What time alone brings to orders: what is kept for repeats is forgotten when none can come."""

from typing import Final

from kit import inbox
from kit.postgres import Database
from kit.web import idempotency
from services.orders.service import Deliveries

FORGET_EVERY_S: Final = 60.0
"""Forgetting takes at most a few thousand rows at once, so it comes often."""


class Forgetting:
    """Deletes keys, inbox rows and receipts that have had their time."""

    def __init__(self, database: Database, deliveries: Deliveries) -> None:
        self._db = database
        self._deliveries = deliveries

    async def __call__(self) -> None:
        """Delete what is due, at most a few thousand rows of each kind."""
        async with self._db.write() as session:
            await idempotency.forget(session)
            await inbox.forget(session)
        await self._deliveries.forget()
