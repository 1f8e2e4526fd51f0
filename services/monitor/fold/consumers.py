"""Entry from the bus: the chat log in batches. Knows no table."""

from collections.abc import Sequence

from kit.bus.ports import Consumer, Record, TopicPartition
from services.monitor.fold.service import Partitions


class Fold:
    """The chat log in batches, partitions mixed, and which partitions come and go."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions

    async def __call__(self, records: Sequence[Record]) -> None:
        """Fold a batch; a repeat below the offset that is stored beside it changes nothing."""
        await self._partitions.fold(records)

    async def passed_over(self, records: Sequence[Record]) -> None:
        """Go on behind records that were set aside, one of a partition."""
        await self._partitions.pass_over(records)

    async def assigned(self, consumer: Consumer, came: frozenset[TopicPartition]) -> None:
        """Take partitions over before their first record."""
        await self._partitions.take_over(consumer, came)

    async def revoked(self, _consumer: Consumer, going: frozenset[TopicPartition]) -> None:
        """Let partitions go; the loop has let the batch in hand be committed before."""
        await self._partitions.release(going)
