"""What time alone brings to cases: warnings before a deadline, and the end of what is kept.

The deadline's own consequence (the platform may agree in the shop's place) is the platform's.
"""

from typing import Final

from kit import inbox
from kit.postgres import Database
from kit.web import idempotency
from services.aftersales.service import BATCH, Warnings

FORGET_EVERY_S: Final = 60.0
"""Forgetting takes at most a few thousand rows at once, so it comes often."""


class Sweep:
    """Raises every warning that is due."""

    def __init__(self, warnings: Warnings) -> None:
        self._warnings = warnings

    async def __call__(self) -> None:
        """Go on until fewer are due than fit into one transaction."""
        while await self._warnings.raise_due() == BATCH:
            pass


class Forgetting:
    """Deletes keys and inbox rows that have had their time."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def __call__(self) -> None:
        """Delete what is due, at most a few thousand rows of each kind."""
        async with self._db.write() as session:
            await idempotency.forget(session)
            await inbox.forget(session)
