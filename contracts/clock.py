"""The buyer's clock: since when he waits for an answer, and whether for a first one.

Pure: a step for each record of a conversation, in the order of its log. Wherever the clock is
folded it is by this function; whoever reads it from rows, or in another language, is held to it by
the cases in `contracts/conformance/clock.json`.
"""

from datetime import datetime
from typing import NamedTuple, TypeAlias

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationContacted,
    ConversationOpened,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    LateMessage,
    Lifecycle,
)
from contracts.people import SenderKind

Place: TypeAlias = tuple[int, int]
"""`(generation, offset)`, compared in that order."""


class Clock(NamedTuple):
    """Where a conversation's clock stands.

    `waiting_since` is the buyer's first word that nobody answered, `position` where the log tells
    of it; both None while he does not wait. `first`: no agent has replied since it began, or began
    anew. `seat` is the newest version by which somebody got the conversation or lost it.
    """

    waiting_since: datetime | None = None
    position: Place | None = None
    first: bool = True
    seat: int = 0


class Word(NamedTuple):
    """A message: who spoke, when it was received, and from which seat an agent wrote."""

    by: SenderKind
    at: datetime
    seat: int | None = None


def step(clock: Clock, fact: Word | Lifecycle, place: Place) -> Clock:
    """Return the clock behind a record that stands at `place`.

    The first word of the buyer opens it; the owner's reply and a person's close end his wait. A
    reply from a seat that was lost by then is no answer; a close as idle ends nobody's
    wait, because the word before it had not been seen. Of a word that was written into a
    conversation closed long ago nothing is owed there: it counts where it is told as a contact, and
    from when it was received. Nothing else moves it, least of all what machines say.
    """
    after = clock
    match fact:
        case Word():
            after = _said(clock, fact, place)
        case ConversationContacted(received_at=at):
            after = _opened(clock, at, place)
        case ConversationOpened() | ConversationReopened():
            after = clock._replace(first=True)
        case ConversationQueued() | ConversationAssigned() | ConversationTransferred():
            after = clock._replace(seat=max(clock.seat, fact.version))
        case ConversationClosed(sweep=sweep):
            left = clock._replace(seat=max(clock.seat, fact.version))
            after = left if sweep == "idle" else _stopped(left)
        case LateMessage():
            after = _stopped(clock)
        case _:
            pass
    return after


def _said(clock: Clock, word: Word, place: Place) -> Clock:
    if word.by is SenderKind.BUYER:
        return _opened(clock, word.at, place)
    if word.by is not SenderKind.AGENT:
        return clock
    seat = clock.seat if word.seat is None else word.seat
    if seat < clock.seat:
        return clock
    return Clock(None, None, first=False, seat=seat)


def _opened(clock: Clock, at: datetime, place: Place) -> Clock:
    if clock.waiting_since is not None:
        return clock
    return clock._replace(waiting_since=at, position=place)


def _stopped(clock: Clock) -> Clock:
    return clock._replace(waiting_since=None, position=None)
