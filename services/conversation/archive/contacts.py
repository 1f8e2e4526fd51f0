"""Acts on what a stored message changes: who is served again, who wrote elsewhere (H30).

The archive stores and waits for nobody; what follows happens here, under the shop's turn, and its
contact is deleted in the same transaction: it happens once, however often it is tried.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.conversation import Lifecycle, read_lifecycle
from contracts.people import ConversationId, ConversationState, PersonId, ShopId
from kit.clock import Clock
from kit.errors import Unavailable
from kit.postgres import Database
from services.conversation.archive import repository
from services.conversation.archive.domain import Contact, Place
from services.conversation.conversations import repository as conversations
from services.conversation.conversations.domain import Conversation
from services.conversation.conversations.elsewhere import tell_contacted, tell_late
from services.conversation.conversations.following import closed_for, follow
from services.conversation.routing.service import Routing
from services.conversation.turns import Turns

log = structlog.get_logger()

AT_ONCE: Final = 100
"""Contacts acted on in one transaction, at most."""

AGAIN: Final = timedelta(seconds=60)
"""A contact on which acting failed is tried again after this time; others go on meanwhile."""


@dataclass(frozen=True)
class Contacts:
    """Use cases about contacts; any number of processes may carry them out."""

    db: Database
    turns: Turns
    routing: Routing
    clock: Clock

    async def shops(self) -> list[ShopId]:
        """Return the shops in which a contact is due."""
        async with self.db.read_across("contacts of all shops are looked for at once") as session:
            return await repository.shops_contacted(session, tried_before=self._tried_before())

    async def settle(self, shop_id: ShopId) -> int:
        """Act on the shop's next contacts; return how many it was, 0 once none is due.

        A contact that cannot be acted on stands alone in the end, and is put off. Raises
        `Unavailable`.
        """
        try:
            return await self._settle(shop_id, limit=AT_ONCE)
        except Unavailable:
            raise
        except Exception as failure:  # noqa: BLE001 - a bug may cost one contact, not its shop
            log.warning("contacts.one_by_one", shop_id=shop_id, reason=type(failure).__name__)
        try:
            return await self._settle(shop_id, limit=1)
        except Unavailable:
            raise
        except Exception:
            log.exception("contact.failed", shop_id=shop_id)
            await self._postpone(shop_id)
            return 1

    async def _settle(self, shop_id: ShopId, *, limit: int) -> int:
        async with self.turns.write(shop_id) as session:
            taken = await repository.take_contacts(
                session, shop_id, tried_before=self._tried_before(), limit=limit
            )
            if taken:
                await self._act(session, shop_id, taken)
        return len(taken)

    async def _act(self, session: AsyncSession, shop_id: ShopId, taken: Sequence[Contact]) -> None:
        ids = sorted({contact.conversation_id for contact in taken})
        found = {one.id: one for one in await conversations.lock_all(session, ids)}
        await self._follow(session, shop_id, found, taken)
        closings = await repository.closed_at(session, ids)
        relevant = [
            contact
            for contact in taken
            if contact.is_said
            and contact.conversation_id in found
            and not is_settled(contact, found[contact.conversation_id], closings)
        ]
        if not relevant:
            return
        written = [found[contact.conversation_id] for contact in relevant]
        homes = await self._homes(session, shop_id, written)
        unseen = _first_unseen(relevant, found, closings, homes=homes)
        said = {one: contact.said_at for one, contact in unseen.items()}
        await self.routing.contact(
            session, shop_id, sorted(homes.values()), "buyer_wrote", unseen=said
        )
        if unseen:
            await self._tell_unseen(session, unseen)
        late: dict[ConversationId, list[Contact]] = defaultdict(list)
        for contact in relevant:
            home = homes[found[contact.conversation_id].buyer_id]
            if home != contact.conversation_id:
                late[home].append(contact)
        for home, contacts in sorted(late.items()):
            await self._tell_late(session, home, contacts)

    async def _follow(
        self,
        session: AsyncSession,
        shop_id: ShopId,
        found: dict[ConversationId, Conversation],
        taken: Sequence[Contact],
    ) -> None:
        """Bring conversations of an older backup, in `found` too, to where the log is (H51)."""
        ahead = {contact.conversation_id for contact in taken if not contact.is_said}
        behind = [one.id for one in found.values() if one.id in ahead or one.swept == "restored"]
        if not behind:
            return
        told: dict[ConversationId, list[Lifecycle]] = defaultdict(list)
        for record in await repository.lifecycle_of(session, shop_id, behind):
            event = read_lifecycle(record)
            told[event.conversation_id].append(event)
        for conversation_id in behind:
            followed = follow(found[conversation_id], told[conversation_id])
            if followed.state is not ConversationState.CLOSED:
                buyer = [followed.buyer_id]
                opened = await conversations.open_of_buyers(session, shop_id, buyer)
                if any(one.id != conversation_id for one in opened):
                    followed = closed_for(followed)
            await conversations.save(session, followed)
            found[conversation_id] = followed
            log.info("conversation.followed", conversation_id=conversation_id)

    async def _homes(
        self, session: AsyncSession, shop_id: ShopId, written: Sequence[Conversation]
    ) -> dict[PersonId, ConversationId]:
        """Return where each buyer is served: in what he has open, else where he wrote first."""
        buyers = {conversation.buyer_id for conversation in written}
        opened = await conversations.open_of_buyers(session, shop_id, buyers)
        homes = {one.buyer_id: one.id for one in opened}
        for conversation in written:
            homes.setdefault(conversation.buyer_id, conversation.id)
        return homes

    async def _tell_unseen(
        self, session: AsyncSession, unseen: Mapping[ConversationId, Contact]
    ) -> None:
        """Say behind the close what was said before it, so that whoever reads the log waits too."""
        stamp = self.routing.stamp()
        for conversation in await conversations.lock_all(session, sorted(unseen)):
            contact = unseen[conversation.id]
            said = (conversation.id, contact.said_at)
            told = tell_contacted(conversation, contact.message_id, said, stamp=stamp)
            await self.routing.apply(session, told)

    async def _tell_late(
        self, session: AsyncSession, home_id: ConversationId, contacts: Sequence[Contact]
    ) -> None:
        """Keep messages where they were written, and tell both conversations of them."""
        ids = sorted({home_id, *(contact.conversation_id for contact in contacts)})
        now = {one.id: one for one in await conversations.lock_all(session, ids)}
        stamp = self.routing.stamp()
        for contact in contacts:
            written, home = now[contact.conversation_id], now[home_id]
            said = (contact.conversation_id, contact.said_at)
            late = tell_late(written, contact.message_id, home, stamp=stamp)
            now[written.id] = await self.routing.apply(session, late)
            contacted = tell_contacted(home, contact.message_id, said, stamp=stamp)
            now[home.id] = await self.routing.apply(session, contacted)
        await repository.mark_late(session, [contact.message_id for contact in contacts])

    async def _postpone(self, shop_id: ShopId) -> None:
        async with self.db.write(shop_id) as session:
            await repository.postpone_contact(
                session, shop_id, tried_before=self._tried_before(), now=self.clock.now()
            )

    def _tried_before(self) -> datetime:
        return self.clock.now() - AGAIN


def is_settled(contact: Contact, conversation: Conversation, closings: Mapping[str, Place]) -> bool:
    """Tell whether whoever closed the conversation had the message before him (H8, ADR 16).

    `closings` says where in the log conversations were closed, if that is archived already: what
    stands before it was there when somebody closed. A sweep closes what nobody speaks in: whatever
    it did not see reopens, wherever it stands (H36).
    """
    if conversation.state is not ConversationState.CLOSED or conversation.swept is not None:
        return False
    closed_at = closings.get(conversation.id)
    return closed_at is None or contact.place < closed_at


def _first_unseen(
    contacts: Sequence[Contact],
    found: Mapping[ConversationId, Conversation],
    closings: Mapping[str, Place],
    *,
    homes: Mapping[PersonId, ConversationId],
) -> dict[ConversationId, Contact]:
    """Return the first word of each conversation whose buyer was given up before it was archived.

    It stands before that close, which ends his wait for everything there: by the log alone nobody
    would owe him an answer. A close as idle ends nobody's wait, and hides no word.
    """
    unseen: dict[ConversationId, Contact] = {}
    for contact in sorted(contacts, key=lambda one: one.place):
        conversation = found[contact.conversation_id]
        closed_at = closings.get(conversation.id)
        hidden = closed_at is None or contact.place < closed_at
        is_home = homes[conversation.buyer_id] == conversation.id
        if conversation.swept == "abandoned" and hidden and is_home:
            unseen.setdefault(conversation.id, contact)
    return unseen
