"""A floor of shops played live: buyers and agents through the public door, with tricky moves.

Drawn from a seed, but what comes of it is the platform's: order and overlaps are never the same
twice, and only the log knows them. Must not know how it is judged.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from contracts.people import AgentState, Role
from rehearsal.api import ApiRefused
from rehearsal.endings import StreamRefused
from tests.world import Person, Shop, World

AGENTS: Final = 4
CAPACITY: Final = 200
MOVES: Final = (3, 9)
PAUSES_S: Final = (0.0, 0.0, 0.1, 0.3, 0.8, 1.5, 3.0)
REOPEN_GAP_S: Final = 1
"""A buyer who comes back later goes on in another conversation, and may write into the old one."""

AWAY_S: Final = 0.7
"""How long an agent is away who leaves his desk; long enough for his buyers to be given on."""

_RACES: Final = (ApiRefused, StreamRefused, TimeoutError)
"""What a move may end in because another one was faster; the log says what came of it."""


@dataclass
class Floor:
    """One shop: its agents, a supervisor who has no seat, and its skill group."""

    world: World
    shop: Shop
    boss: Person
    agents: dict[str, Person] = field(default_factory=dict)
    group: str = ""

    @classmethod
    async def opened(cls, world: World) -> "Floor":
        """Open a shop and let its people come to work."""
        shop = await world.shop()
        boss = await world.staff(shop, Role.SUPERVISOR)
        floor = cls(world, shop, await boss.connect())
        for _ in range(AGENTS):
            agent = await world.agent(shop, capacity=CAPACITY)
            floor.agents[agent.id] = agent
        timing = {"reopen_gap_s": REOPEN_GAP_S}
        await shop.boss.call("PATCH", f"/v1/shops/{shop.id}/timing", timing)
        groups = await shop.boss.call("GET", "/v1/skill-groups")
        floor.group = str(groups["items"][0]["code"])
        return floor


async def play(floors: list[Floor], rng: random.Random, *, dialogues: int, seconds: float) -> int:
    """Play so many dialogues, begun within so many seconds; return how many moves were made."""
    counts = await asyncio.gather(
        *(
            _later(rng.uniform(0, seconds), _Dialogue(rng.choice(floors), random.Random(seed)))
            for seed in [rng.getrandbits(32) for _ in range(dialogues)]
        )
    )
    return sum(counts)


async def _later(seconds: float, dialogue: "_Dialogue") -> int:
    """Play a dialogue; a buyer whom a busy shop does not let in leaves."""
    await asyncio.sleep(seconds)
    with suppress(ApiRefused):
        return await dialogue.played()
    return 0


class _Dialogue:
    """One buyer's conversation."""

    def __init__(self, floor: Floor, rng: random.Random) -> None:
        self._floor, self._rng = floor, rng
        self.id = self._old = ""

    async def played(self) -> int:
        """Come in, make some moves, leave; return how many."""
        buyer = await self._floor.world.buyer(self._floor.shop)
        opened = await buyer.call("POST", "/v1/conversations", {})
        self.id = str(opened["id"])
        await buyer.client.subscribe(f"conv:{self.id}")
        moves = self._rng.randint(*MOVES)
        for _ in range(moves):
            await asyncio.sleep(self._rng.choice(PAUSES_S))
            with suppress(*_RACES):
                await self._move()(buyer)
        await buyer.leave()
        return moves

    def _move(self) -> Callable[[Person], Awaitable[None]]:
        weighted: tuple[tuple[int, Callable[[Person], Awaitable[None]]], ...] = (
            (30, self._ask),
            (30, self._answer),
            (6, self._transfer),
            (5, self._close),
            (6, self._goodbye),
            (2, self._leave_desk),
            (3, self._interfere),
            (3, self._answer_late),
            (2, self._reopen),
            (6, self._begin_another),
            (5, self._write_into_the_old),
        )
        weights = [weight for weight, _ in weighted]
        [(_, move)] = self._rng.choices(weighted, weights)
        return move

    async def _owner(self) -> Person | None:
        """Return who has it now, with a seat on his screen."""
        view = await self._floor.boss.call("GET", f"/v1/conversations/{self.id}")
        owner = self._floor.agents.get(view["agent_id"] or "")
        if owner is not None:
            await owner.client.subscribe(f"conv:{self.id}")
        return owner

    async def _ask(self, buyer: Person) -> None:
        for _ in range(self._rng.choice((1, 1, 2))):
            await buyer.say(self.id, "在吗")

    async def _answer(self, _: Person) -> None:
        owner = await self._owner()
        if owner is not None:
            await owner.say(self.id, "在的亲")

    async def _answer_late(self, _: Person) -> None:
        """Somebody answers who may have lost the seat by then."""
        for agent in self._floor.agents.values():
            if f"conv:{self.id}" in {frame.s for frame in agent.events}:
                await agent.say(self.id, "来了亲")
                return

    async def _begin_another(self, buyer: Person) -> None:
        """He goes on in another conversation if his one was closed long enough ago."""
        opened = await buyer.call("POST", "/v1/conversations", {})
        if opened["id"] != self.id:
            self._old, self.id = self.id, str(opened["id"])
            await buyer.client.subscribe(f"conv:{self.id}")

    async def _write_into_the_old(self, buyer: Person) -> None:
        """He writes where he was before: that is told to be late, or is refused."""
        if self._old:
            await buyer.say(self._old, "还有个问题")

    async def _transfer(self, _: Person) -> None:
        owner = await self._owner()
        if owner is None:
            return
        others = [agent for agent in self._floor.agents if agent != owner.id]
        to = {"to_group": self._floor.group}
        if self._rng.random() < 0.7:
            to = {"to_agent": self._rng.choice(others)}
        path = f"/v1/conversations/{self.id}/transfer"
        await owner.call("POST", path, {"note": "请跟进", **to})

    async def _close(self, buyer: Person) -> None:
        owner = await self._owner()
        by = buyer if owner is None or self._rng.random() < 0.5 else owner
        await by.call("POST", f"/v1/conversations/{self.id}/close", {"reason": "settled"})

    async def _goodbye(self, buyer: Person) -> None:
        """The buyer closes while the agent's last words are on their way."""
        owner = await self._owner()
        if owner is None:
            return
        closing = asyncio.create_task(
            buyer.call("POST", f"/v1/conversations/{self.id}/close", {"reason": "settled"})
        )
        await asyncio.sleep(self._rng.choice((0, 0.01, 0.03, 0.06)))
        await asyncio.gather(closing, owner.say(self.id, "谢谢亲"), return_exceptions=True)

    async def _leave_desk(self, _: Person) -> None:
        agent = self._rng.choice(list(self._floor.agents.values()))
        away = self._rng.choice((AgentState.OFFLINE, AgentState.BREAK, AgentState.SUSPENDED))
        try:
            await agent.call("PUT", "/v1/agents/me/state", {"state": away})
            await asyncio.sleep(AWAY_S)
        finally:
            await agent.call("PUT", "/v1/agents/me/state", {"state": AgentState.ONLINE})

    async def _interfere(self, _: Person) -> None:
        """The supervisor speaks without a seat."""
        await self._floor.boss.client.subscribe(f"conv:{self.id}")
        await self._floor.boss.say(self.id, "我来看看")

    async def _reopen(self, _: Person) -> None:
        agent = self._rng.choice(list(self._floor.agents.values()))
        await agent.call("POST", f"/v1/conversations/{self.id}/reopen")
