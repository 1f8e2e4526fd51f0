"""How long pictures are kept: those that were never sent a day, the others as long as is set."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kit.clock import Clock
from kit.postgres import Database
from services.conversation.images.domain import NAMED_WITHIN
from services.conversation.images.service import Blobs

JUDGED_AT_ONCE: Final = 50
"""Pictures of which one transaction finds out whether a message names them."""

FORGOTTEN_AT_ONCE: Final = 200
"""Pictures that one transaction deletes: each may be megabytes."""


@dataclass(frozen=True)
class PictureRetention:
    """A use case of time alone. Any number of replicas may forget."""

    db: Database
    blobs: Blobs
    clock: Clock
    kept: timedelta

    async def forget(self) -> int:
        """Delete a batch of what was never sent or has had its time; return how many were seen."""
        now = self.clock.now()
        async with self.db.write_across("pictures that nobody needs any more") as session:
            judged = await self.blobs.judge(session, now - NAMED_WITHIN, limit=JUDGED_AT_ONCE)
            before, limit = now - self.kept, FORGOTTEN_AT_ONCE
            return judged + await self.blobs.forget(session, before, limit=limit)
