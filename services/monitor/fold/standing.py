"""Who owns a conversation and whether it is open, by the log and by what agents say (H7, H8, H33).

Pure. One of three readers of the same rules; tests/suites/seats.py holds all of them to one table.
"""

from enum import Enum, auto
from typing import Final

import msgspec

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    Lifecycle,
)
from contracts.people import ConversationId, PersonId, SenderKind, ShopId


class Voice(Enum):
    """How an agent's message stands to the conversation; whatever others say is `OWNED`."""

    OWNED = auto()
    """From the seat that owns the conversation."""
    NOT_OWNER = auto()
    """From a seat lost meanwhile, or from none: it answers nothing."""


class Standing(msgspec.Struct, array_like=True, frozen=True):
    """What all measures share about one conversation. Replaced, never changed.

    `version` is the newest lifecycle version seen in the log (H7), `seat` the newest version that
    log or message told about the owner (H8), `born_offset` the first record.
    """

    name: ConversationId
    shop_id: ShopId
    buyer_id: PersonId
    born_offset: int
    version: int = 0
    seat: int = 0
    owner: PersonId | None = None
    open: bool = True
    closed_ms: int | None = None

    def heard(
        self, kind: SenderKind, sender_id: PersonId, *, seat: int | None
    ) -> "tuple[Standing, Voice]":
        """Take in who speaks; `seat` is the assignment version that an agent's message carries."""
        if kind is SenderKind.BUYER:
            if sender_id == self.buyer_id:
                return self, Voice.OWNED
            return msgspec.structs.replace(self, buyer_id=sender_id), Voice.OWNED
        if kind is not SenderKind.AGENT:
            return self, Voice.OWNED
        after = self
        if seat is not None and (seat > self.seat or (seat == self.seat and self.owner is None)):
            after = msgspec.structs.replace(self, seat=seat, owner=sender_id)
        lost = seat is not None and seat < after.seat
        return after, Voice.NOT_OWNER if lost or sender_id != after.owner else Voice.OWNED

    def told(self, event: Lifecycle, *, at_ms: int) -> "Standing | None":
        """Take in a lifecycle event; None for one that brings nothing new (H7)."""
        if event.version <= self.version:
            return None
        known = msgspec.structs.replace(self, version=event.version, buyer_id=event.buyer_id)
        match event:
            case ConversationAssigned(agent_id=owner) | ConversationTransferred(to_agent_id=owner):
                return known.seated(owner, event.version)
            case ConversationQueued():
                return known.seated(None, event.version)
            case ConversationClosed():
                return msgspec.structs.replace(known, open=False, closed_ms=at_ms, owner=None)
            case ConversationReopened():
                return msgspec.structs.replace(known, open=True, closed_ms=None)
        return known

    def seated(self, owner: PersonId | None, version: int) -> "Standing":
        """Give the seat away, unless an agent's message told of a newer owner already."""
        if version <= self.seat:
            return self
        return msgspec.structs.replace(self, seat=version, owner=owner)


FORGET_MS: Final = 86_400_000
"""A conversation closed for so long is begun anew by its next record, so its state may go."""


def forget_after_ms(standing: Standing) -> int | None:
    """Return the moment after which the next record begins the conversation anew."""
    return None if standing.closed_ms is None else standing.closed_ms + FORGET_MS
