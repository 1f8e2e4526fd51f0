"""When each turn is due: an open-loop timetable, fixed before the first message is sent.

Pure: numbers in, timetable out. Must not know the platform, its answers or how fast they come.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle
from typing import Final

from rehearsal.dialogues import Dialogue, Side, Turn


class Curve(StrEnum):
    """The shape of the offered load over the run; its mean is always the asked-for rate."""

    FLAT = "flat"
    PEAK = "peak"


_PEAK_SHAPE: Final = (0.4, 0.5, 0.6, 0.8, 3.2, 2.2, 1.4, 1.0, 0.7, 0.5)
"""Relative load in ten equal slices: a slow evening, zero o'clock, and the fall after it."""

THINK_S: Final = 2.0
"""Mean pause between two turns of a dialogue, in seconds."""


ENTRIES_PER_S: Final = 15
"""Buyers who enter the shop in a second at most, unless the asked-for rate needs more."""


@dataclass(slots=True)
class Due:
    """One turn and when it is to be sent, in seconds from the start of play."""

    at: float
    turn: Turn
    play: "Play"


@dataclass(slots=True)
class Play:
    """One dialogue on stage: a buyer of its own and the turns that fall to it."""

    number: int
    dialogue: Dialogue
    starts_at: float
    due: list[Due] = field(default_factory=list)

    @property
    def ends_at(self) -> float:
        """When the last turn is due."""
        return self.due[-1].at


def slots(rate: float, seconds: float, curve: Curve) -> Iterator[float]:
    """Yield the send times of the whole run in rising order, `rate * seconds` of them."""
    shape = _PEAK_SHAPE if curve is Curve.PEAK else (1.0,)
    slice_s = seconds / len(shape)
    scale = rate * len(shape) / sum(shape)
    owed = 0.0
    for index, weight in enumerate(shape):
        slice_rate = weight * scale
        owed += slice_rate * slice_s
        count = int(owed + 1e-9)
        owed -= count
        for k in range(count):
            yield index * slice_s + (k + 0.5) * slice_s / count


def timetable(
    dialogues: Sequence[Dialogue], times: Sequence[float], rng: random.Random
) -> list[Play]:
    """Give every send time to a dialogue: the one that has thought longest, else a new one.

    Returns the plays in the order they start. The last dialogues may be cut short by the end of
    the run; a dialogue always starts with a buyer's turn.
    """
    source = cycle([d for d in (_from_buyer(d) for d in dialogues) if d.turns])
    plays: list[Play] = []
    thinking: list[tuple[float, int]] = []
    for at in times:
        if thinking and thinking[0][0] <= at:
            _, number = heapq.heappop(thinking)
            play = plays[number]
        else:
            play = Play(number=len(plays), dialogue=next(source), starts_at=at)
            plays.append(play)
        turn = play.dialogue.turns[len(play.due)]
        play.due.append(Due(at=at, turn=turn, play=play))
        if len(play.due) < len(play.dialogue.turns):
            ready = at + THINK_S * rng.uniform(0.6, 1.4)
            heapq.heappush(thinking, (ready, play.number))
    return plays


def entries(plays: Sequence[Play], lead: float) -> list[float]:
    """Return when each play's buyer enters the shop, `lead` seconds before speaking or earlier.

    The first plays all start within one think time; entering together they would be a storm that
    no shop sees, so entries keep a distance: `ENTRIES_PER_S`, or what the run needs on average.
    The first entries then lie before the start of play, at negative times.
    """
    if not plays:
        return []
    busy = plays[-1].starts_at - plays[0].starts_at
    apart = min(1 / ENTRIES_PER_S, busy / len(plays) / 1.2) if busy else 1 / ENTRIES_PER_S
    found: list[float] = []
    latest = float("inf")
    for play in reversed(plays):
        latest = min(play.starts_at - lead, latest - apart)
        found.append(latest)
    return found[::-1]


def _from_buyer(dialogue: Dialogue) -> Dialogue:
    """Drop what an agent says before the buyer has said anything: nobody is there to hear it."""
    for index, turn in enumerate(dialogue.turns):
        if turn.side is Side.BUYER:
            return Dialogue(dialogue.name, dialogue.turns[index:])
    return Dialogue(dialogue.name, ())
