"""How long pictures are kept: those that were never sent a day, the others as long as is set."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from kit.clock import Clock
from kit.postgres import Database
from services.conversation.images.domain import NAMED_WITHIN
from services.conversation.images.service import Blobs

FORGOTTEN_AT_ONCE: Final = 200
"""Pictures of either kind that one transaction deletes: each may be megabytes."""

Through: TypeAlias = Callable[[], Awaitable[datetime | None]]
"""Through which moment the archive holds everything that was said; None: that is not known."""


@dataclass(frozen=True)
class PictureRetention:
    """A use case of time alone. Any number of replicas may forget."""

    db: Database
    blobs: Blobs
    clock: Clock
    kept: timedelta
    through: Through

    async def forget(self) -> int:
        """Delete a batch of what was never sent or has had its time; return how many that was.

        Whether something was sent is judged where the archive is complete, and nowhere else.
        """
        through, limit = await self.through(), FORGOTTEN_AT_ONCE
        async with self.db.write_across("pictures that nobody needs any more") as session:
            gone = await self.blobs.forget(session, self.clock.now() - self.kept, limit=limit)
            if through is not None:
                before = through - NAMED_WITHIN
                gone += await self.blobs.drop_unnamed(session, before, limit=limit)
        return gone
