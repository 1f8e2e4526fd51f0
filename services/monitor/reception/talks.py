"""What the rules of reception remember of one conversation, and how it is stored.

Pure. What a rule may still ask, and no text: times in ms, places in the log, who. 0 and None: there
is none.
"""

from typing import Final

import msgspec

from contracts.people import PersonId

WRITERS: Final = 4
"""Agents of whom it is known when they wrote last."""

CLOSERS, YES_NO, BUYER_LAST, HANDED, GREETED = 1, 2, 4, 8, 16
"""What is true of a session by now: the buyer waits behind closing words alone, his last words ask
whether; he had the last word; it was handed on; the shop greeted by itself."""


class Pending(msgspec.Struct, array_like=True, gc=False):
    """Something of an agent that what comes next decides."""

    agent: PersonId
    at_ms: int
    offset: int
    count: int = 0


class Told(msgspec.Struct, array_like=True, gc=False):
    """A flag of the session."""

    rule: str
    agent: PersonId
    offset: int
    at_ms: int
    times: int
    severity: int


class Talk(msgspec.Struct, array_like=True, gc=False):
    """What is remembered of one conversation; what is counted is of its session."""

    session: int = -1
    heard_ms: int = 0
    ended_ms: int = 0
    wait_ms: int = 0
    wait_offset: int = 0
    asked: int = 0
    """Characters of the longest words that nobody answered yet."""
    signs: int = 0
    rounds: int = 0
    spoke: int = 0
    """Messages of agents, and which of them said farewell last."""
    blessed: int = 0
    curt_run: int = 0
    wrote: dict[PersonId, int] = msgspec.field(default_factory=dict)
    moves: list[tuple[int, PersonId, PersonId]] = msgspec.field(default_factory=list)
    told: list[Told] = msgspec.field(default_factory=list)
    hold: Pending | None = None
    curt: Pending | None = None
    greet: Pending | None = None
    bye: Pending | None = None
    sorry: Pending | None = None

    def is_so(self, sign: int) -> bool:
        """Tell whether something is true of the session."""
        return bool(self.signs & sign)

    def note(self, sign: int, *, so: bool = True) -> None:
        """Note whether something is true of the session."""
        self.signs = self.signs | sign if so else self.signs & ~sign

    def wrote_now(self, agent: PersonId, at_ms: int) -> None:
        """Remember when an agent wrote; of many, the latest."""
        self.wrote[agent] = at_ms
        if len(self.wrote) > WRITERS:
            del self.wrote[min(self.wrote, key=lambda one: (self.wrote[one], one))]

    def begin(self, offset: int) -> None:
        """Begin a session."""
        self.session, self.ended_ms = offset, 0
        self.signs, self.rounds, self.spoke, self.blessed = 0, 0, 0, 0
        self.curt_run = self.asked = 0
        self.moves, self.told = [], []
        self.curt = self.greet = self.bye = self.sorry = None


_DECODER: Final = msgspec.msgpack.Decoder(Talk)
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(talk: Talk) -> bytes:
    """Return a talk as it is stored."""
    return _ENCODER.encode(talk)


def decode(stored: bytes) -> Talk:
    """Read a stored talk."""
    return _DECODER.decode(stored)
