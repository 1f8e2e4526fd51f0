"""Who owns a conversation and whether it is open, by the log and by what agents say (H7, H8, H33).

Pure. One of three readers of the same rules; tests/suites/seats.py holds all of them to one table.
"""

from enum import Enum, auto
from typing import Final

import msgspec

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationOpened,
    ConversationQueued,
    ConversationRated,
    ConversationReopened,
    ConversationTransferred,
    LateMessage,
    LaterLifecycle,
    Lifecycle,
)
from contracts.people import ConversationId, PersonId, SenderKind, ShopId


class Voice(Enum):
    """How an agent's message stands to the conversation; whatever others say is `OWNED`."""

    OWNED = auto()
    """From the seat that owns the conversation."""
    NOT_OWNER = auto()
    """From a seat lost meanwhile, or from none: it answers nothing."""
    GOODBYE = auto()
    """From a seat that the close took away, or from none behind it: it answers nothing and is no
    contact (H33)."""


class Standing(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What all measures share about one conversation. Replaced, never changed.

    `version` is the newest lifecycle version seen in the log (H7), `seat` the newest version that
    log or message told about the owner (H8), `closed_version` the newest close: a seat at or below
    it is nobody's any more (H33). `born_offset` is the first record.
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
    closed_version: int = 0

    def heard(
        self, kind: SenderKind, sender_id: PersonId, *, seat: int | None
    ) -> "tuple[Standing, Voice]":
        """Take in who speaks; `seat` is the assignment version that an agent's message carries."""
        if kind is SenderKind.BUYER and sender_id != self.buyer_id:
            return msgspec.structs.replace(self, buyer_id=sender_id), Voice.OWNED
        if kind is not SenderKind.AGENT:
            return self, Voice.OWNED
        if not seat:
            aside = Voice.GOODBYE if self._is_over else Voice.NOT_OWNER
            return self, Voice.OWNED if sender_id == self.owner else aside
        if seat <= self.closed_version or (self._is_over and seat <= self.version):
            return self, Voice.GOODBYE
        after = self
        if seat > self.seat:
            after = msgspec.structs.replace(self, seat=seat, owner=sender_id)
        owned = seat == after.seat and sender_id == after.owner
        return after, Voice.OWNED if owned else Voice.NOT_OWNER

    @property
    def _is_over(self) -> bool:
        """Tell whether it is closed, and no word told of a seat behind that close."""
        return not self.open and 0 < self.version >= self.seat

    def told(self, event: Lifecycle, *, at_ms: int) -> "Standing | None":
        """Take in a lifecycle event; None for one that brings nothing new (H7).

        What is told first of a forgotten conversation says that it had been closed: whatever seat
        is older was taken away by that close.
        """
        if event.version <= self.version:
            return None
        after = msgspec.structs.replace(self, version=event.version, buyer_id=event.buyer_id)
        match event:
            case ConversationAssigned(agent_id=owner) | ConversationTransferred(to_agent_id=owner):
                after = after.going_on().seated(owner, event.version)
            case ConversationQueued():
                after = after.going_on().seated(None, event.version)
            case ConversationClosed(version=version):
                after = after.closed(version, at_ms)
            case ConversationReopened(version=version) if self.version == 0:
                after = after.closed(version, at_ms).going_on()
            case ConversationOpened() | ConversationReopened():
                after = after.going_on()
            case LateMessage(version=version) if self.version == 0:
                after = after.closed(version, at_ms)
            case ConversationRated() | LaterLifecycle() if self.version == 0:
                # Nearly always forgotten; still nothing is known of its seats.
                after = msgspec.structs.replace(after, version=0).stays_closed(at_ms)
            case _:
                pass
        return after

    def stays_closed(self, at_ms: int) -> "Standing":
        """Keep it closed, and for a day from this word on: what it means is still to be told.

        One that begins with a word which is no buyer's is taken for closed, too: that is a goodbye
        behind the forgetting, or ahead of its seat's event, which will say otherwise (H34).
        """
        return msgspec.structs.replace(self, open=False, closed_ms=max(at_ms, self.closed_ms or 0))

    def closed(self, version: int, at_ms: int) -> "Standing":
        """Close it: seats up to that version are nobody's any more (H33)."""
        return msgspec.structs.replace(
            self.seated(None, version), open=False, closed_ms=at_ms, closed_version=version
        )

    def going_on(self) -> "Standing":
        """Take it for open."""
        return msgspec.structs.replace(self, open=True, closed_ms=None)

    def seated(self, owner: PersonId | None, version: int) -> "Standing":
        """Give the seat away, unless an agent's message told of a newer owner already."""
        if version <= self.seat:
            return self
        return msgspec.structs.replace(self, seat=version, owner=owner)


FORGET_MS: Final = 86_400_000
"""A conversation closed and silent for so long is begun anew by its next record, so its state may
go."""

UNHEARD_MS: Final = 31 * FORGET_MS
"""An open one of which the log says nothing for so long is over, too: silence closes what lives, so
its close was lost, as after a restore from a backup. Longer than the log is kept: whoever folds it
later does not see what was said before the silence."""

LATE_MS: Final = 3_600_000
"""Log time after which it is forgotten for good, whatever a record's own clock says. So one who
reads the log later begins it anew at the same record."""


def forget_after_ms(standing: Standing, *, heard_ms: int, remembers_ms: int) -> int | None:
    """Return the moment after which the next record begins the conversation anew.

    `heard_ms` is the time of its newest record; 0, which is not known, forgets nothing that is
    open. `remembers_ms`: so long after a close a contact may continue something (H34).
    """
    if standing.closed_ms is not None:
        return standing.closed_ms + max(FORGET_MS, remembers_ms)
    return heard_ms + max(UNHEARD_MS, remembers_ms) if heard_ms else None
