"""Where a conversation stands for who owns it: last words, the buyer's clock, what is new (F4).

A fold of the log that begins with what the archive says. Knows records; must not know sockets, or
who else watches.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw, Struct

from contracts.base import rfc3339
from contracts.clock import Clock, Place, Word, step
from contracts.conversation import Lifecycle
from contracts.heads import UNREAD, preview_of
from contracts.people import PersonId, SenderKind
from services.gateway.frames import notes
from services.gateway.frames.records import Entry, Spoken

UNSEEN: Final = UNREAD + 1
"""Places of the buyer's words that are kept: one more than is counted."""

Head: TypeAlias = dict[str, object]


class SaidBody(Struct, gc=False):
    """What of a message's body lists show."""

    kind: str
    d: Raw


class Text(Struct, gc=False):
    """What of a text's `d` lists show."""

    text: str | None = None


_words: Final = msgspec.json.Decoder(SaidBody).decode
_text: Final = msgspec.json.Decoder(Text).decode


class Row:
    """One conversation of somebody whose inbox is open here.

    `known` is set once the archive told where it stands; before that nothing is shown of it. What
    was said is read when it is shown, not as often as it is said.
    """

    __slots__ = (
        "_head",
        "_said",
        "clock",
        "generation",
        "key",
        "known",
        "owner",
        "read_up_to",
        "unseen",
        "version",
    )

    def __init__(self, key: bytes, owner: PersonId, version: int) -> None:
        self.key = key
        self.owner = owner
        self.version = version
        self.known = False
        self.generation = 0
        self.clock = Clock()
        self.read_up_to: Place | None = None
        self.unseen: list[Place] = []
        self._head: Head | None = None
        self._said: tuple[Entry, SenderKind] | None = None

    def begin(
        self,
        clock: Clock,
        generation: int,
        *,
        head: Head | None,
        read_up_to: Place | None,
        unseen: Iterable[Place],
    ) -> None:
        """Stand where the archive says; offsets that come are of this generation."""
        self.clock = clock
        self.generation = generation
        self.read_up_to = read_up_to
        self.unseen = list(unseen)
        self._head, self._said = head, None
        self.known = True

    def said(self, entry: Entry, said: Spoken, at: datetime) -> None:
        """Somebody spoke. What staff answered counts as seen, whoever answered."""
        place, by = (self.generation, entry.offset), SenderKind(said.sender_kind)
        self.clock = step(self.clock, Word(by, at, said.assignment_version), place)
        if by is SenderKind.AGENT:
            self.unseen.clear()
        elif by is SenderKind.BUYER:
            self.unseen.append(place)
            del self.unseen[:-UNSEEN]
        self._said = (entry, by)

    def noted(self, entry: Entry, by: str) -> None:
        """Somebody of staff wrote a note: last words, news if they are another's, and no answer."""
        if by != self.owner:
            self.unseen.append((self.generation, entry.offset))
            del self.unseen[:-UNSEEN]
        self._said = (entry, SenderKind.AGENT)

    def told(self, event: Lifecycle, offset: int) -> None:
        """Something happened to the conversation."""
        self.clock = step(self.clock, event, (self.generation, offset))

    def read(self, place: Place) -> bool:
        """Its owner has read up to a place; False if that was known."""
        if self.read_up_to is not None and place <= self.read_up_to:
            return False
        self.read_up_to = place
        self.unseen = [one for one in self.unseen if one > place]
        return True

    def shown(self) -> dict[str, object]:
        """Return what a list shows of it, always whole."""
        since, place, first, _ = self.clock
        waits = None
        if since is not None:
            waits = {"opened_at": rfc3339(since), "position": place, "first": first}
        return {
            "head": self._last_words(),
            "round": waits,
            "unread": min(len(self.unseen), UNREAD),
            "read_up_to": self.read_up_to,
        }

    def _last_words(self) -> Head | None:
        if self._said is not None:
            (entry, by), self._said = self._said, None
            place = (self.generation, entry.offset)
            self._head = {"position": place, "by": by.value, **_read(entry)}
        return self._head


def _read(entry: Entry) -> Head:
    """Return what is shown of a message or a note; of one whose words cannot be read none."""
    kind, said = "text", None
    try:
        if notes.is_note(entry):
            said = notes.noted(entry).text
            return {"kind": "note", "preview": preview_of(said), "at": entry.time.decode()}
        words = _words(entry.value)
        kind = words.kind
        said = _text(words.d).text if kind == "text" else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # the archive sets it aside
    return {"kind": kind, "preview": preview_of(said), "at": entry.time.decode()}
