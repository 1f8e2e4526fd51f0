"""One written log from its events to the verdict, and the smallest logs of what differs.

Knows the order of things: write, wait until the monitor has read all, compute, ask, compare.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from contracts.base import Event
from contracts.conversation import ShopListed
from contracts.people import PersonId, ShopId
from contracts.topics import CHAT, DIRECTORY, STAFF, Topic
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

PLAYED_BEFORE: Final = 1_300
"""Days ago on which the first such try is played: every shipped profile is in force by then."""


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
        await self.listed([event for event in events if isinstance(event, ShopListed)])
        await self.lone.write([event for event in events if not isinstance(event, ShopListed)])
        at = max(ms(event.time) for event in events) + AFTER_MS
        await self.caught_up(at)
        by_topic = defaultdict[Topic, list[Event]](list)
        for event in events:
            by_topic[event.topic].append(event)
        chat = defaultdict[int, list[Event]](list)
        for event in by_topic[CHAT]:
            chat[await self.lone.partition_of(event.key)].append(event)
        found = book(chat, {0: by_topic[STAFF]}, {0: by_topic[DIRECTORY]})
        found.log_times = dict.fromkeys(chat, at)
        return found

    async def listed(self, shops: Sequence[ShopListed]) -> None:
        """Write entries of shops and wait until the monitor judges by their time zones.

        A shop's entry comes before its chat, as it does where a shop is opened; the directory has
        no order with the chat's log.
        """
        await self.lone.write(shops)

        async def known(shop: ShopListed) -> bool:
            query = {"profile": "qiyu", "from": "2026-11-11", "to": "2026-11-12"}
            answer = await self.lone.ask("/v1/monitor/figures", shop.shop_id, query)
            return bool(answer["time_zone"] == shop.time_zone)

        for shop in shops:
            await eventually(partial(known, shop), within=READ_S, what="the shop is listed")

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
        return book(*[await read(bus, topic.name) for topic in (CHAT, STAFF, DIRECTORY)])

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
