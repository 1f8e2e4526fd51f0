"""One dialogue on stage: who speaks next, and when.

Pure: moments in (seconds on any scale that never goes back), turns out. Must not know the
platform, who the people are, or how a turn is sent.
"""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rehearsal.dialogues import Dialogue, Side, Turn

OPENING_S: Final = (0.5, 2.0)
"""A buyer who has come in says his first words so soon."""

BUYER_S: Final = (4.0, 11.0)
"""A buyer reads and types for so long."""

COLLEAGUE_S: Final = (4.0, 14.0)
SLOW_S: Final = (32.0, 55.0)
LATE_S: Final = (185.0, 230.0)
"""What a colleague takes for an answer: mostly, sometimes (beyond 30 s) and seldom (beyond three
minutes), so that a board has something to show on each side of its usual limits."""

SLOW_SHARE: Final = 0.10
LATE_SHARE: Final = 0.02

AGAIN_S: Final = 5.0
"""Before a turn that was refused is tried again: its seat was on the move."""

TRIES: Final = 5

LEAVE_S: Final = (12.0, 25.0)
"""A buyer who has his answer stays so long before he goes."""

NOBODY_S: Final = 600.0
"""A buyer whom nobody serves waits so long."""

PERSON_S: Final = 900.0
"""A buyer whom a person at the desk does not answer waits so long."""


class Seat(StrEnum):
    """Who serves the buyer."""

    NOBODY = "nobody"
    COLLEAGUE = "colleague"
    """One of the simulated: he speaks the dialogue's own lines."""
    PERSON = "person"
    """Whoever sits at the desk: says what he likes, when he likes."""


@dataclass(slots=True)
class Scene:
    """A buyer's way through a dialogue.

    With a colleague the dialogue is played line by line. A person gets the buyer's lines alone:
    each follows on whatever he answers to the one before.
    """

    dialogue: Dialogue
    rng: random.Random
    seat: Seat = Seat.NOBODY
    over: bool = False
    _next: int = 0
    _due: float | None = None
    _since: float | None = None
    _tries: int = 0
    _speaking: bool = False
    _answered: bool = False
    _leaves_at: float | None = None

    def begin(self, now: float) -> None:
        """Let the buyer come in."""
        self._since = now
        self._due = now + self.rng.uniform(*OPENING_S)

    def due(self, now: float) -> Turn | None:
        """Return the turn that is to be spoken now, if any. Ends the scene when its time is up."""
        if self._leaves_at is not None:
            self.over = self.over or now >= self._leaves_at
        elif self._has_waited_too_long(now):
            self.over = True
        if self.over or self._speaking or self._due is None or now < self._due:
            return None
        return self.dialogue.turns[self._next]

    def speaking(self) -> None:
        """The turn that is due is on its way: nothing else is, until it was taken or refused.

        Whatever a person says from now on may be the answer to it: on a busy machine the answer
        is heard before it is known that the turn was taken.
        """
        self._speaking = True
        self._answered = False

    def spoken(self, now: float) -> None:
        """The turn was taken, or stopped by the wording gate, which is part of the play."""
        self._speaking = False
        self._next += 1
        self._tries = 0
        self._arrange(now)

    def refused(self, now: float) -> None:
        """The turn was not taken: it is tried again a few times, then the buyer goes."""
        self._speaking = False
        self._tries += 1
        if self._tries >= TRIES:
            self.over = True
        self._due = now + AGAIN_S

    def seated(self, seat: Seat, now: float) -> None:
        """Somebody else serves the buyer from now on, or nobody any more."""
        if seat is self.seat:
            return
        self.seat = seat
        if self._next > 0 and not self._speaking:
            self._arrange(now)

    def answered(self, now: float) -> None:
        """A person said something. The buyer reads on while more is said."""
        self.seated(Seat.PERSON, now)
        self._answered = True
        if self._next > 0 and not self._speaking:
            self._arrange(now)

    def _arrange(self, now: float) -> None:
        """Settle when the next turn is due."""
        self._since, self._due = now, None
        if self._answered and self.seat is Seat.PERSON:
            self._skip_agent()
        if self._next >= len(self.dialogue.turns):
            if self._leaves_at is None:
                self._leaves_at = now + self.rng.uniform(*LEAVE_S)
        elif self._is_ours(self.dialogue.turns[self._next]):
            self._due = now + self._pause(self.dialogue.turns[self._next].side)

    def _skip_agent(self) -> None:
        turns = self.dialogue.turns
        while self._next < len(turns) and turns[self._next].side is Side.AGENT:
            self._next += 1

    def _is_ours(self, turn: Turn) -> bool:
        if turn.side is Side.AGENT:
            return self.seat is Seat.COLLEAGUE
        return True

    def _pause(self, side: Side) -> float:
        if side is Side.BUYER:
            return self.rng.uniform(*BUYER_S)
        draw = self.rng.random()
        if draw < LATE_SHARE:
            return self.rng.uniform(*LATE_S)
        return self.rng.uniform(*(SLOW_S if draw < LATE_SHARE + SLOW_SHARE else COLLEAGUE_S))

    def _has_waited_too_long(self, now: float) -> bool:
        if self._since is None or self._due is not None or self._speaking:
            return False
        return now - self._since > (PERSON_S if self.seat is Seat.PERSON else NOBODY_S)
