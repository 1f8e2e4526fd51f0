"""How long it is kept who was asked to answer for whom."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kit.clock import Clock
from kit.postgres import Database
from services.conversation.handoffs import repository

FORGOTTEN_AT_ONCE: Final = 2_000
"""Rows of each table that one transaction deletes."""


@dataclass(frozen=True)
class OfferRetention:
    """A use case of time alone. Any number of replicas may forget."""

    db: Database
    clock: Clock
    kept: timedelta

    async def forget(self) -> int:
        """Delete a batch of offers that have had their time; return how many that was."""
        before = self.clock.now() - self.kept
        async with self.db.write_across("offers that are older than is kept") as session:
            return await repository.forget(session, before, limit=FORGOTTEN_AT_ONCE)
