"""A show in the demo shop: colleagues sit, buyers come, talk and go, until nobody watches.

Puts the pure parts and the people together; must not decide who speaks when.
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from kit.clock import SystemClock
from kit.web.limits import TokenBucket
from player.people import Somebody
from player.programme import Doorman, Programme
from player.scenes import Scene
from player.shop import COLLEAGUES, Buyers, DemoShop
from player.trade import Checks, check_address
from player.visits import TROUBLE, Company, Visit
from rehearsal.api import Api
from rehearsal.dialogues import Dialogue
from rehearsal.streams import Frame

log = logging.getLogger("player")

TICK_S: Final = 0.25

MESSAGES_PER_S: Final = 1.0
BURST: Final = 3.0
"""All simulated people together say no more than one message a second, and three at once."""

LOOK_S: Final = 2.0
"""How often it is looked who sits at the desk."""

ABSENT_S: Final = 20.0
"""Who reloads the page is away for less; then his buyers go."""

RENEW_S: Final = 480.0
"""Tokens live for fifteen minutes."""

ALONE_S: Final = 4 * 3600.0
"""So long after the last person was at the desk the play rests."""

FAREWELL_S: Final = 5.0
"""Longest time that the end of a show may take; `down` waits for it."""

TAKES_BUYERS: Final = "online"
AWAY: Final = "offline"


class CurtainFell(Exception):
    """A colleague was turned away for good: the show begins anew."""


@dataclass(slots=True)
class Desk:
    """Who of the shop's agents is no colleague of ours, as far as is known."""

    taking: int = 0
    """How many of them take buyers."""
    seen_at: float = float("-inf")
    """When one of them was there last."""
    looked_at: float = 0.0
    """A platform that does not answer empties no desk."""

    def look(self, states: Mapping[str, str], ours: Collection[str], now: float) -> None:
        """Take the states of all agents of the shop."""
        others = [state for one, state in states.items() if one not in ours]
        taking = others.count(TAKES_BUYERS)
        if taking != self.taking:
            log.info("people at the desk who take buyers: %d", taking)
        self.taking, self.looked_at = taking, now
        if any(state != AWAY for state in others):
            self.seen_at = now

    def is_empty(self) -> bool:
        """Whether nobody had been there for longer than a reload takes, at the last look."""
        return self.looked_at - self.seen_at > ABSENT_S


class Show:
    """One run of the play; each is made anew."""

    def __init__(
        self, api: Api, shop: DemoShop, dialogues: Sequence[Dialogue], *, rng: random.Random
    ) -> None:
        self._api, self._shop, self._rng = api, shop, rng
        self._programme = Programme(dialogues, rng)
        self._doorman = Doorman(rng)
        self._buyers = Buyers()
        self._company = Company()
        self._checks = Checks(rng)
        self._desk = Desk()
        self._visits: list[Visit] = []
        self._pace = TokenBucket(MESSAGES_PER_S, BURST, SystemClock())
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Play until nobody has been at the desk for long.

        Raises `CurtainFell`, and what `TROUBLE` names, where it cannot go on.
        """
        try:
            for conversation in await self._shop.left_behind():
                await self._shop.close(conversation)
            for login in COLLEAGUES:
                one = await self._shop.colleague(login, self._hear)
                self._company.colleagues[one.id] = one
            began = time.monotonic()
            beside = [asyncio.create_task(self._look()), asyncio.create_task(self._renew())]
            self._tasks.update(beside)
            while time.monotonic() - max(began, self._desk.seen_at) < ALONE_S:
                self._tick(time.monotonic())
                for task in beside:
                    if task.done():
                        task.result()
                await asyncio.sleep(TICK_S)
        finally:
            await self._end()

    def _tick(self, now: float) -> None:
        """Let in who comes, let go who is done, and let speak whose turn it is."""
        if any(one.gone for one in self._company.colleagues.values()):
            raise CurtainFell
        self._let_in(now)
        for visit in list(self._visits):
            turn = visit.look(now)
            if self._desk.is_empty() and visit.is_for_people:
                visit.scene.over = True
            if visit.is_over:
                self._visits.remove(visit)
                self._spawn(self._let_go(visit))
            elif turn is not None and self._pace.take():
                visit.scene.speaking()
                self._spawn(visit.speak(turn))

        for somebody, order_id in self._checks.due(now):
            self._spawn(_check(somebody, order_id))

    def _hear(self, somebody: Somebody, frame: Frame) -> None:
        self._company.hear(somebody, frame)
        self._checks.hear(somebody, frame, time.monotonic())

    def _let_in(self, now: float) -> None:
        here = Counter(visit.topic for visit in self._visits)
        topic = self._doorman.wish(now, here=here, people=self._desk.taking)
        if topic is not None:
            scene = Scene(self._programme.next(topic), self._rng)
            visit = Visit(self._buyers.next(topic), topic, scene, company=self._company)
            self._visits.append(visit)
            self._spawn(visit.enter(self._shop))
            self._spawn(_sell(self._shop, visit.number))

    async def _let_go(self, visit: Visit) -> None:
        await visit.leave(self._api, self._rng)
        self._buyers.back(visit.number)

    async def _look(self) -> None:
        while True:
            states = await self._shop.states()
            self._desk.look(states, self._company.colleagues, time.monotonic())
            await asyncio.sleep(LOOK_S)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await self._shop.renew()
            for one in self._company.colleagues.values():
                await one.renew()

    async def _end(self) -> None:
        """Let everybody go: nothing simulated stays open on a desk."""
        for task in list(self._tasks):
            task.cancel()
        everybody = list(self._company.colleagues.values())
        leaving = [visit.leave(self._api, self._rng) for visit in self._visits]
        leaving += [_go_home(one) for one in everybody]
        try:
            async with asyncio.timeout(FAREWELL_S):
                await asyncio.gather(*leaving, return_exceptions=True)
        except TimeoutError:
            log.info("the platform does not answer: the next player closes what is open")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _sell(shop: DemoShop, number: int) -> None:
    """Let a buyer have bought something; he comes and speaks though nobody takes orders now."""
    with suppress(*TROUBLE):
        await shop.sell(number)


async def _check(somebody: Somebody, order_id: str) -> None:
    with suppress(*TROUBLE):
        await check_address(somebody, order_id)


async def _go_home(one: Somebody) -> None:
    try:
        await one.call("PUT", "/v1/agents/me/state", {"state": AWAY})
    except TROUBLE:
        pass
    finally:
        with suppress(*TROUBLE):
            await one.sign_out()
