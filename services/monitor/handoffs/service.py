"""Tells, as the fold passes them, of waits that a colleague may be asked to answer (N16).

Must not know routes or SQL.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from kit import outbox
from services.monitor.fold.engine import PartitionFold
from services.monitor.handoffs import repository
from services.monitor.handoffs.domain import LongWait
from services.monitor.handoffs.waits import OpenWaits, event_of
from services.monitor.waiting.service import Follower


class LongWaits(Follower[LongWait]):
    """Waits that are long, and not too long yet."""

    @override
    def _watching(self, fold: PartitionFold, place: int) -> OpenWaits:
        return OpenWaits(self._rules, fold.partition, place=place)

    @override
    async def _store(
        self,
        session: AsyncSession,
        due: Mapping[PartitionFold, Sequence[LongWait]],
        *,
        generation: int,
    ) -> None:
        found = [wait for waits in due.values() for wait in waits]
        new = await repository.add(session, found, generation=generation)
        now = self._clock.now()
        await outbox.add(session, *(event_of(wait, now=now) for wait in new))
