"""The monitor's word that a buyer waits for long, and who is typing. Knows no table."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from contracts.base import UnreadableEvent
from contracts.gateway import SignalSent
from contracts.handoffs import HandoffDue
from contracts.people import ConversationId, PersonId
from kit.bus.ports import Record
from kit.clock import Clock
from kit.errors import Dead
from services.conversation.handoffs.domain import TYPING
from services.conversation.handoffs.sweeps import Offering

GROUP: Final = "conversation.handoffs"

TYPISTS: Final = "conversation.typing"
"""A reader's name, no group: whichever process looks, it knows who types."""

_DUE: Final = HandoffDue.type.encode()
_SIGNAL: Final = SignalSent.type.encode()
_TYPING: Final = b'"typing"'

KNOWN: Final = 20_000
"""So many people are remembered to have typed; beyond it all of longer ago are forgotten."""


class LongWaits:
    """Lets a colleague be looked for; of all that is told to leaders this alone concerns it.

    A repeat finds the wait that it began, and changes nothing.
    """

    def __init__(self, offering: Offering) -> None:
        self._offering = offering

    async def __call__(self, record: Record) -> None:
        """Take one record in. Raises `Dead` for one that cannot be read."""
        if record.header("ce_type") != _DUE:
            return
        try:
            due = HandoffDue.read(record)
        except UnreadableEvent as unreadable:
            raise Dead(str(unreadable)) from None
        await self._offering.begin(due)


class Typists:
    """Remembers who gave a sign of typing lately. Lossy, as the signs are."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Take signs in; a repeat says the same."""
        now = self._clock.now()
        for record in records:
            if record.header("ce_type") != _SIGNAL or _TYPING not in (record.value or b""):
                continue
            try:
                sign = SignalSent.read(record)
            except UnreadableEvent:
                continue
            if now - sign.time < TYPING:
                self._last[sign.conversation_id, sign.person_id] = sign.time.timestamp()
        if len(self._last) > KNOWN:
            since = (now - TYPING).timestamp()
            self._last = {who: at for who, at in self._last.items() if at > since}

    def is_typing(self, conversation_id: ConversationId, person_id: PersonId) -> bool:
        """Tell whether somebody is about to answer."""
        at = self._last.get((conversation_id, person_id))
        return at is not None and self._clock.now().timestamp() - at < TYPING.total_seconds()


BACK: Final = timedelta(seconds=5)
"""Signs of so long before the start are read: what is older says nothing any more."""
