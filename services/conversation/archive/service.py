"""Stores what the chat topic says, each message once. Storing has no precondition (H30).

Survives any repeat: rows are keyed by message id, marks only rise, and only a newly inserted
message leaves a contact, on which `contacts` acts (H8).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationState, SenderKind, ShopId
from contracts.topics import CHAT
from kit import positions
from kit.clock import Clock
from kit.postgres import Database
from services.conversation.archive import repository
from services.conversation.archive.domain import Batch
from services.conversation.archive.repository import ArchivedRow
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.following import unknown_here
from services.conversation.images import repository as images
from services.conversation.shops import repository as shops

OF_THE_LOG: Final = "positions of the log are no shop's"


class Foreign(Exception):
    """Records name a conversation that is not their shop's, or none at all."""

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__("the conversation is unknown in this shop")
        self.places = places
        """Where they stand in the batch."""


@dataclass(frozen=True)
class Archiving:
    """Writes batches; each is one transaction with its marks, and waits for no shop's lock.

    `told` hears, after the commit, in which shops somebody has to act on what was stored.
    """

    db: Database
    clock: Clock
    told: Callable[[Collection[ShopId]], None]

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
            looks: list[ArchivedRow] = []
            contacted: set[ShopId] = set()
            # First, even where they are higher already: see `repository.hold_back`.
            await positions.raise_marks(session, CHAT.name, ends)
            if batch.ids:
                looks = await repository.store(
                    session, batch, generation=generation, at=self.clock.now()
                )
                contacted = await self._look_twice(session, batch, looks, generation)
            if batch.pictures:
                await images.name(session, batch.pictures)
        self.told(contacted)
        return len(batch.ids) - sum(not look.is_new for look in looks)

    async def _look_twice(
        self, session: AsyncSession, batch: Batch, looks: Sequence[ArchivedRow], generation: int
    ) -> set[ShopId]:
        """Judge what was not simply stored; return the shops in which somebody has to act."""
        unknown = [look for look in looks if not look.is_known]
        made = await self._make_missing(session, batch, unknown) if unknown else {}
        foreign = [look for look in unknown if made.get(look.conversation_id) != look.shop_id]
        if foreign:
            raise Foreign(_places(batch, foreign))
        repeats = [look for look in looks if not look.is_new]
        if repeats:
            await self._record_conflicts(session, batch, repeats, generation)
        new = [look for look in looks if look.is_new]
        said = [look for look in new if look.sender_kind != SenderKind.BUYER]
        late = await self._after_close(session, said, generation)
        await repository.mark_late(session, [look.message_id for look in late])
        ahead = [look for look in new if look.is_ahead or look.conversation_id in made]
        # Not at once: what the log says next decides, and it is being read on.
        await repository.note_contacts(
            session, ahead, generation=generation, tried_at=self.clock.now()
        )
        contacts = [look for look in new if look.sender_kind == SenderKind.BUYER]
        await repository.note_contacts(session, contacts, generation=generation)
        return {ShopId(look.shop_id) for look in contacts}

    async def _make_missing(
        self, session: AsyncSession, batch: Batch, unknown: Iterable[ArchivedRow]
    ) -> dict[str, ShopId]:
        """Make rows for conversations that the log opens and no row stands for (H51).

        Return whose they are. So it is after a restore from a backup older than they are.
        """
        openings = {
            look.conversation_id: batch.openings[look.conversation_id]
            for look in unknown
            if look.state is None and look.conversation_id in batch.openings
        }
        known = await shops.known_of(session, [one.shop_id for one in openings.values()])
        made = {}
        for conversation_id, opened in sorted(openings.items()):
            if opened.shop_id in known:
                await conversations.add_missing(session, unknown_here(opened))
                made[conversation_id] = opened.shop_id
        return made

    async def _after_close(
        self, session: AsyncSession, looks: Sequence[ArchivedRow], generation: int
    ) -> list[ArchivedRow]:
        """Return what was said into a closed conversation, by the order of the log (ADR 16).

        The row of a conversation may say closed while messages from before are still on their way
        to the archive.
        """
        closed = [look for look in looks if look.state == ConversationState.CLOSED]
        places = await repository.closed_at(session, [look.conversation_id for look in closed])
        return [
            look
            for look in closed
            if (place := places.get(look.conversation_id)) is not None
            and place < (generation, look.offset)
        ]

    async def _record_conflicts(
        self, session: AsyncSession, batch: Batch, repeats: Iterable[ArchivedRow], generation: int
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


def _places(batch: Batch, looks: Sequence[ArchivedRow]) -> list[int]:
    wanted = {(look.partition, look.offset) for look in looks}
    stands = zip(batch.partitions, batch.offsets, strict=True)
    return [place for place, one in enumerate(stands) if one in wanted]
