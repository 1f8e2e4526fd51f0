"""How long it is kept whom routing chose, and why: one row per decision, with all candidates."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kit.clock import Clock
from kit.postgres import Database
from services.conversation.routing import repository

FORGOTTEN_AT_ONCE: Final = 2_000
"""Rows that one transaction deletes."""


@dataclass(frozen=True)
class DecisionRetention:
    """A use case of time alone. Any number of replicas may forget."""

    db: Database
    clock: Clock
    kept: timedelta

    async def forget(self) -> int:
        """Delete a batch of decisions that have had their time; return how many that was."""
        before = self.clock.now() - self.kept
        async with self.db.write_across("decisions that are older than is kept") as session:
            return await repository.forget_decisions(session, before, limit=FORGOTTEN_AT_ONCE)
