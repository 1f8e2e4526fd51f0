"""What is played, and when the next buyer comes in.

Pure: how many are here goes in, a wish comes out. Must not know the platform.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rehearsal.dialogues import Dialogue, Side

NEWCOMERS_TOPIC: Final = "pre_sale"
"""Buyers with this topic come to people at the desk; no colleague is in its group."""

TOPICS: Final = {
    "presale": NEWCOMERS_TOPIC,
    "insale": "in_sale",
    "logistics": "in_sale",
    "aftersale": "after_sale",
    "rude": "complaint",
}
"""The group that a dialogue is for, by how its name begins."""

STAFFED: Final = ("in_sale", "after_sale", "complaint")
"""The groups of the simulated colleagues."""

AROUND: Final = 7
"""Buyers whom colleagues serve at once."""

FIRST: Final = 4
FIRST_S: Final = (0.8, 2.0)
LATER_S: Final = (4.0, 12.0)
"""The first few of these come soon after one another, the later ones at leisure."""

OF_ONE_PERSON: Final = 3
OF_ALL: Final = 5
"""Buyers who wait for one person at the desk at once, and for everybody there together."""

NEXT_S: Final = (12.0, 30.0)
"""Between two buyers for people at the desk; the first comes at once."""


class Programme:
    """Dialogues by topic, in an order that is shuffled anew when all were played."""

    def __init__(self, dialogues: Iterable[Dialogue], rng: random.Random) -> None:
        self._rng = rng
        self._all: dict[str, list[Dialogue]] = {}
        self._left: dict[str, list[Dialogue]] = {}
        for one in dialogues:
            topic = TOPICS.get(one.name.split("-")[0])
            if topic is not None and one.turns[0].side is Side.BUYER:
                self._all.setdefault(topic, []).append(one)

    def next(self, topic: str) -> Dialogue:
        """Return a dialogue for this topic."""
        left = self._left.get(topic)
        if not left:
            left = self._left[topic] = list(self._all[topic])
            self._rng.shuffle(left)
        return left.pop()


@dataclass(slots=True)
class Doorman:
    """Says when the next buyer comes in, and with which topic."""

    rng: random.Random
    _entered: int = 0
    _next_around: float = 0.0
    _next_newcomers: float = 0.0

    def wish(self, now: float, *, here: Mapping[str, int], people: int) -> str | None:
        """Return the topic of a buyer who is to come in now, None if nobody is.

        `here` counts buyers by topic, `people` those at the desk who take buyers.
        """
        wanted = min(OF_ONE_PERSON * people, OF_ALL)
        waiting = here.get(NEWCOMERS_TOPIC, 0)
        if not people:
            self._next_newcomers = now
        elif waiting < wanted and now >= self._next_newcomers:
            self._next_newcomers = now + self.rng.uniform(*NEXT_S)
            return NEWCOMERS_TOPIC
        around = {topic: here.get(topic, 0) for topic in STAFFED}
        if sum(around.values()) >= AROUND or now < self._next_around:
            return None
        self._entered += 1
        pause = FIRST_S if self._entered < FIRST else LATER_S
        self._next_around = now + self.rng.uniform(*pause)
        return min(around, key=lambda topic: (around[topic], self.rng.random()))


def shares(colleagues: Sequence[str]) -> dict[str, str]:
    """Return the group of each colleague, by login: they share the staffed groups evenly."""
    return {one: STAFFED[number % len(STAFFED)] for number, one in enumerate(colleagues)}
