"""One written log from its events to the verdict, and the smallest logs of what differs.

Knows the order of things: write, wait until the monitor has read all, compute, ask, compare.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from contracts.base import Event
from contracts.people import PersonId, ShopId
from contracts.topics import CHAT, STAFF
from tests.faults.figures.judging import Book, Difference, Verdict, answered, book, judge
from tests.faults.figures.log import ms
from tests.faults.figures.lone import LoneMonitor, read
from tests.faults.figures.rules import SHOP_ZONE, Rule, day_of
from tests.faults.figures.smallest import elsewhere, smallest, told
from tests.faults.figures.telling import Conversation
from tests.waiting import eventually

READ_S: Final = 60.0
"""Longest wait until the monitor has read what was written."""

AFTER_MS: Final = 30 * 3_600_000
"""So long after everything else the last record of each partition stands: no day goes on by then,
neither by the log's time nor by the clock's, and both sides judge the same."""

SHRUNK_DAYS: Final = 9
"""A try to make a log smaller is played so many days after the one before: longer than a case."""

PLAYED_BEFORE: Final = 1_500
"""Days ago on which the first such try is played."""


def long_ago(days: int) -> date:
    """Return the shop's day so many days before today."""
    return datetime.now(SHOP_ZONE).date() - timedelta(days=days)


@dataclass
class Proof:
    """A monitor that stands alone, and what is compared with it."""

    lone: LoneMonitor
    rules: Sequence[Rule]

    async def written(self, events: Sequence[Event]) -> Book:
        """Write events; return what they come to when the monitor has read them all."""
        await self.lone.write(events)
        at = max(ms(event.time) for event in events) + AFTER_MS
        await self.caught_up(at)
        chat, staff = defaultdict[int, list[Event]](list), list[Event]()
        for event in events:
            if event.topic is STAFF:
                staff.append(event)
            else:
                chat[await self.lone.partition_of(event.key)].append(event)
        found = book(chat, {0: staff})
        found.log_times = dict.fromkeys(chat, at)
        return found

    async def caught_up(self, at: int) -> None:
        """Write a last record into each partition and wait until the monitor counts them all.

        So each partition's log time is its last record's, and both sides judge as of it.
        """
        rng = random.Random(at)
        shop = ShopId(f"bystander-{rng.getrandbits(64):x}")
        partitions = await self.lone.bus.partitions(CHAT.name)
        waiting = dict[int, Conversation]()
        while len(waiting) < partitions:
            talk = Conversation(rng, shop, PersonId(f"buyer-{rng.getrandbits(64):x}"))
            waiting.setdefault(await self.lone.partition_of(talk.id), talk)
        for talk in waiting.values():
            talk.assigned(at, PersonId(f"{shop}-agent"))
            talk.buyer_says(at)
            talk.owner_says(at)
        await self.lone.write([event for talk in waiting.values() for event in talk.log])

        async def counted() -> bool:
            found = await answered(self.lone.ask, shop, "qiyu", days=[day_of(at)])
            return sum(figures.rounds for figures in found.values()) == 2 * partitions

        await eventually(counted, within=READ_S, what="the monitor has read everything")

    async def book(self) -> Book:
        """Return what the topics say by now."""
        bus = self.lone.bus
        return book(await read(bus, CHAT.name), await read(bus, STAFF.name))

    async def judged(self, shops: Sequence[str]) -> Verdict:
        """Compare these shops' figures."""
        return await judge(self.lone.ask, await self.book(), self.rules, shops=shops)


class Shrinking:
    """Finds the smallest log of a difference, on a monitor that has read nothing else."""

    def __init__(self, proof: Proof) -> None:
        self._proof, self._days = proof, 0

    async def of(self, events: Sequence[Event], shown: Difference) -> list[str]:
        """Return the smallest log with a difference in the same figure and profile."""
        first = min(ms(event.time) for event in events)
        offset = (long_ago(PLAYED_BEFORE) - day_of(first)).days

        async def differ(tries: Mapping[int, Sequence[Event]]) -> set[int]:
            return await self._differ(tries, shown, offset=offset)

        if await differ({0: events}):
            return told(await smallest(events, differ))
        return ["differs no more when it is alone"]

    async def _differ(
        self, tries: Mapping[int, Sequence[Event]], shown: Difference, *, offset: int
    ) -> set[int]:
        self._days += SHRUNK_DAYS
        played, shops = list[Event](), dict[str, int]()
        for number, log in tries.items():
            moved = elsewhere(log, f"{self._days}/{number}", days=offset + self._days)
            if moved:
                shops[moved[0].shop_id] = number
                played += moved
        played.sort(key=lambda event: event.time)
        book = await self._proof.written(played)
        rules = [rule for rule in self._proof.rules if rule.name == shown.profile]
        judged = await judge(self._proof.lone.ask, book, rules, shops=list(shops))
        return {
            shops[one.shop]
            for one in judged.differences
            if one.figure == shown.figure and one.too_many == shown.too_many
        }
