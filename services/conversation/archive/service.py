"""Stores what the chat topic says, each message once, and acts on what its arrival changes.

Survives any repeat: rows are keyed by message id, marks only rise, and only a newly inserted
message can reopen a conversation (H8).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationState, SenderKind, ShopId
from contracts.topics import CHAT
from kit import positions
from kit.clock import Clock
from kit.postgres import Database
from services.conversation import turns
from services.conversation.archive import repository
from services.conversation.archive.domain import Batch
from services.conversation.archive.repository import SecondLook
from services.conversation.routing.service import Routing

OF_THE_LOG: Final = "positions of the log are no shop's"


class Foreign(Exception):
    """Records name a conversation that is not their shop's, or none at all."""

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__("the conversation is unknown in this shop")
        self.places = places
        """Where they stand in the batch."""


@dataclass(frozen=True)
class Archiving:
    """Writes batches; each is one transaction with its marks and its consequences."""

    db: Database
    routing: Routing
    clock: Clock

    async def generation(self, topic_id: str) -> int:
        """Return the generation of the topic, beginning the first one.

        Raises `kit.positions.ForeignTopic` if the archive's positions are another topic's (H4).
        """
        async with self.db.write_across(OF_THE_LOG) as session:
            return await positions.generation(session, CHAT.name, topic_id=topic_id)

    async def begin_generation(self, topic_id: str) -> int:
        """Begin the next generation, unless the topic has not changed; return its number."""
        async with self.db.write_across(OF_THE_LOG) as session:
            return await positions.begin_generation(session, CHAT.name, topic_id=topic_id)

    async def marks(self) -> dict[int, int]:
        """Return for each partition the offset below which everything is stored or set aside."""
        async with self.db.read_across(OF_THE_LOG) as session:
            return await positions.marks(session, CHAT.name)

    async def store(self, batch: Batch, ends: Mapping[int, int], *, generation: int) -> int:
        """Store a batch and move its partitions' marks to `ends`; return how many rows were new.

        Raises `Foreign` for the records that no conversation of their shop stands for.
        """
        async with self.db.write_across("a batch holds what all shops said") as session:
            looks: list[SecondLook] = []
            if batch.ids:
                looks = await repository.store(
                    session, batch, generation=generation, at=self.clock.now()
                )
                await self._look_twice(session, batch, looks, generation)
            await positions.raise_marks(session, CHAT.name, ends)
        return len(batch.ids) - sum(not look.is_new for look in looks)

    async def _look_twice(
        self, session: AsyncSession, batch: Batch, looks: Sequence[SecondLook], generation: int
    ) -> None:
        foreign = [look for look in looks if not look.is_known]
        if foreign:
            raise Foreign(_places(batch, foreign))
        repeats = [look for look in looks if not look.is_new]
        if repeats:
            await self._record_conflicts(session, batch, repeats, generation)
        new = await self._after_close(session, [look for look in looks if look.is_new], generation)
        await repository.mark_late(session, [look.message_id for look in new if _is_late(look)])
        await self._contact(session, [look for look in new if look.sender_kind == SenderKind.BUYER])

    async def _after_close(
        self, session: AsyncSession, looks: Sequence[SecondLook], generation: int
    ) -> list[SecondLook]:
        """Leave out what stands before `closed` in the log: it was there when somebody closed.

        The row of a conversation may say closed while messages from before are still on their way
        to the archive; order in the log decides, as for every other reader.
        """
        closed = [look.conversation_id for look in looks if look.state == ConversationState.CLOSED]
        places = await repository.closed_at(session, closed)
        return [
            look
            for look in looks
            if look.state != ConversationState.CLOSED
            or (
                (place := places.get(look.conversation_id)) is not None
                and place < (generation, look.offset)
            )
        ]

    async def _record_conflicts(
        self, session: AsyncSession, batch: Batch, repeats: Iterable[SecondLook], generation: int
    ) -> None:
        repeated = {(look.partition, look.offset): look for look in repeats}
        first = await repository.first_of(session, [look.message_id for look in repeated.values()])
        rows = []
        for index, place in enumerate(zip(batch.partitions, batch.offsets, strict=True)):
            look, body_hash = repeated.get(place), batch.hashes[index]
            if look is None or body_hash is None or first[look.message_id].body_hash == body_hash:
                continue
            rows.append(
                {
                    "generation": generation,
                    "partition": place[0],
                    "log_offset": place[1],
                    "message_id": look.message_id,
                    "body_hash": body_hash,
                    "first_hash": first[look.message_id].body_hash or "",
                    "at": self.clock.now(),
                }
            )
        await repository.record_conflicts(session, rows)

    async def _contact(self, session: AsyncSession, looks: Iterable[SecondLook]) -> None:
        by_shop: dict[ShopId, set[str]] = defaultdict(set)
        for look in looks:
            by_shop[ShopId(look.shop_id or "")].add(look.conversation_id)
        await turns.lock_shops(session, list(by_shop))
        for shop_id in sorted(by_shop):
            ids = sorted(by_shop[shop_id])
            await self.routing.contact(session, shop_id, ids, "buyer_wrote")


def _is_late(look: SecondLook) -> bool:
    return look.state == ConversationState.CLOSED and look.sender_kind != SenderKind.BUYER


def _places(batch: Batch, looks: Sequence[SecondLook]) -> list[int]:
    wanted = {(look.partition, look.offset) for look in looks}
    stands = zip(batch.partitions, batch.offsets, strict=True)
    return [place for place, one in enumerate(stands) if one in wanted]
