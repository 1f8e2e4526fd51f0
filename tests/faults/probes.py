"""What works at this moment: every promise of the chat path tried anew, twice a second.

Each trial starts on time whether or not the one before has ended, so an outage is seen whole. Must
not know which fault is under way.
"""

import asyncio
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self, TypeVar
from zoneinfo import ZoneInfo

import httpx2

from contracts.people import Role
from rehearsal.api import ApiRefused
from rehearsal.streams import Frame
from tests.faults.days import Days, Place
from tests.world import Person, World, assigned

EVERY_S: Final = 0.5
LIMIT_S: Final = 90.0
"""A trial that takes longer has failed for good; no outage here is half as long."""

NORMAL_S: Final = 2.0
"""Longest time of a trial on a platform that is well: what is measured shares the machine's two
cores with the clients, and often with other tests."""

AGAIN_S: Final = 0.25
LOOK_S: Final = 0.05
PAGE: Final = 50
BACKOFF_S: Final = (0.1, 0.5)
"""Reconnects are quick here: what is measured is the platform, not a client's patience."""

_Found = TypeVar("_Found")


class Part(StrEnum):
    """What is tried, each end to end."""

    CHAT = "screen"
    """A message is acknowledged and on the other person's screen."""
    ARCHIVE = "history"
    """A message is in the history."""
    BOARD = "board"
    """A message is counted on the supervisor's board."""
    ORDERS = "orders"
    CASES = "cases"
    """Reading them answers."""


@dataclass(slots=True)
class Trial:
    """One try of one part; `ended` None is one that never succeeded."""

    part: Part
    began: float
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds: from the fault to the first success of the slowest part, from healing to normal."""

    first_s: float
    normal_s: float
    slowest: Part | None
    """What was the last to be normal again; None if nothing was slow after healing."""


class Probes:
    """A buyer, an agent and a supervisor of a shop of their own who never stop trying."""

    def __init__(
        self, buyer: Person, agent: Person, boss: Person, *, conversation: str, zone: str
    ) -> None:
        self._buyer, self._agent, self._boss = buyer, agent, boss
        self.conversation = conversation
        self._days = Days(ZoneInfo(zone))
        self.trials: list[Trial] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._archived: set[str] = set()
        self._awaited: dict[str, float] = {}
        self._rng = random.Random(2)
        self._http = httpx2.AsyncClient(
            base_url=buyer.api.base_url, timeout=NORMAL_S, trust_env=False
        )

    @classmethod
    async def opened(cls, world: World, *, zone: str) -> Self:
        """Return probes whose people are connected and in one conversation of a shop there."""
        shop = await world.shop(time_zone=zone)
        agent = await world.staff(shop, Role.AGENT)
        await agent.connect("inbox", backoff_s=BACKOFF_S)
        await agent.call("PUT", "/v1/agents/me/state", {"state": "online"})
        boss = await world.staff(shop, Role.SUPERVISOR)
        await boss.connect(f"monitor:{shop.id}", backoff_s=BACKOFF_S)
        buyer = await world.visitor(shop)
        await buyer.connect(backoff_s=BACKOFF_S)
        opened = await buyer.call("POST", "/v1/conversations", {})
        conversation = str(opened["id"])
        await buyer.client.subscribe(f"conv:{conversation}")
        await assigned(agent, conversation)
        await agent.client.subscribe(f"conv:{conversation}")
        return cls(buyer, agent, boss, conversation=conversation, zone=zone)

    @property
    def staff(self) -> Person:
        """The supervisor: may ask every service."""
        return self._boss

    async def run(self) -> None:
        """Start trials until cancelled."""
        self._reading = asyncio.create_task(self._read_history())
        while True:
            for work in (self._talk, self._orders, self._cases):
                task = asyncio.create_task(work())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(EVERY_S)

    async def settle(self) -> None:
        """Wait for the trials under way."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Give up what is under way."""
        ending = [*self._tasks, *([] if self._reading is None else [self._reading])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await self._http.aclose()

    def recovery(self, broken_at: float, healed_at: float) -> Recovery:
        """Judge the trials around one fault."""
        firsts: defaultdict[Part, float] = defaultdict(lambda: LIMIT_S)
        normal_at, slowest = healed_at, None
        for trial in self.trials:
            ended = trial.ended or trial.began + LIMIT_S
            if trial.began >= broken_at:
                firsts[trial.part] = min(firsts[trial.part], ended - broken_at)
                if ended > normal_at and ended - trial.began > NORMAL_S:
                    normal_at, slowest = ended, trial.part
        return Recovery(max(firsts[part] for part in Part), normal_at - healed_at, slowest)

    def late(self) -> list[Trial]:
        """Return the trials that never succeeded."""
        return [trial for trial in self.trials if trial.ended is None]

    async def _talk(self) -> None:
        """Say something, see it on the other screen, in the history and on the board."""
        began = time.monotonic()
        chat, archive, board = (Trial(p, began) for p in (Part.CHAT, Part.ARCHIVE, Part.BOARD))
        self.trials += (chat, archive, board)
        text = f"探 {uuid.uuid4()}"
        stream = f"conv:{self.conversation}"
        try:
            async with asyncio.timeout(LIMIT_S):
                answer = await self._buyer.client.send(
                    stream, "text", {"text": text}, client_id=str(uuid.uuid4())
                )
                if answer.message_id is not None:
                    self._awaited[answer.message_id] = began
                shown = await _ends(chat, lambda: self._shown(text))
                place = self._days.said(str(shown.time))
                await asyncio.gather(
                    _ends(archive, lambda: answer.message_id in self._archived),
                    _ends(board, lambda: self._counted(place)),
                )
        except TimeoutError:
            return

    def _shown(self, text: str) -> Frame | None:
        said = (f for f in reversed(self._agent.events) if f.type == "chat.message.v1")
        return next((frame for frame in said if frame.d["d"].get("text") == text), None)

    async def _read_history(self) -> None:
        """Look at what is new in the history again and again, for all trials together."""
        while True:
            await self._read_what_is_new()
            await asyncio.sleep(AGAIN_S)

    async def _read_what_is_new(self) -> None:
        """Read from the newest page back to one that holds something known.

        Further, while something is late: a replay stores it behind what is known by then.
        """
        since = time.monotonic() - NORMAL_S
        late = {name for name, at in self._awaited.items() if at < since} - self._archived
        found: set[str] = set()
        cursor: str | None = ""
        while cursor is not None and (not found & self._archived or late - found):
            path = f"/v1/conversations/{self.conversation}/messages?limit={PAGE}{cursor}"
            answer = await self._get(path)
            if answer is None:
                return
            page = answer.json()
            found |= {item["id"] for item in page["items"]}
            following = page["next_cursor"]
            cursor = following and f"&cursor={following}"
        self._archived |= found

    def _counted(self, place: Place) -> bool:
        board = self._boss.states[-1].d if self._boss.states else None
        return board is not None and self._days.counted(place, board)

    async def _orders(self) -> None:
        await self._read(Part.ORDERS, "/v1/orders")

    async def _cases(self) -> None:
        await self._read(Part.CASES, "/v1/cases")

    async def _read(self, part: Part, path: str) -> None:
        trial = Trial(part, time.monotonic())
        self.trials.append(trial)
        deadline = trial.began + LIMIT_S
        while await self._get(path) is None:
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(AGAIN_S)
        trial.ended = time.monotonic()

    async def _get(self, path: str) -> httpx2.Response | None:
        headers = {"Authorization": f"Bearer {self._agent.session.token}"}
        try:
            answer = await self._http.get(path, headers=headers)
        except httpx2.TransportError:
            return None
        if answer.is_client_error and answer.status_code != httpx2.codes.TOO_MANY_REQUESTS:
            raise ApiRefused("GET", path, answer.status_code, slug=answer.text)
        return answer if answer.is_success else None


async def _ends(trial: Trial, looks: Callable[[], _Found | None]) -> _Found:
    while not (found := looks()):  # noqa: ASYNC110 - ends with the trial's timeout
        await asyncio.sleep(LOOK_S)
    trial.ended = time.monotonic()
    return found
