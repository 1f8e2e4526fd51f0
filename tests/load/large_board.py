"""A large shop's board as its page is sent it: 500 agents, of whom 200 say something new each time.

Published beside the platform's own boards, as fast as they may come. Must not know who looks.
"""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.monitor import BoardAgent, BoardTotals, Sums, WaitingBuyer
from contracts.people import AgentState, ConversationId, PersonId, ShopId
from kit.bus.ports import Producer, message_of
from kit.clock import SystemClock
from kit.ids import Uuid7Ids

AGENTS: Final = 500
CHANGED: Final = 200
EVERY_S: Final = 0.5
WAITING: Final = 200
PROFILES: Final = ("taobao_2022", "jd_2021", "kuaimai")
_IDS: Final = Uuid7Ids(SystemClock())


def figures(rng: random.Random) -> dict[str, Sums]:
    """Return somebody's sums under the shop's profiles."""
    rounds = rng.randrange(1, 200)
    return {
        name: (
            rounds,
            rounds * rng.randrange(5_000, 90_000),
            rng.randrange(5),
            rounds,
            rounds * 20_000,
            rounds,
            rounds // 2,
            30,
        )
        for name in PROFILES
    }


def tile(shop: ShopId, number: int, rng: random.Random) -> BoardAgent:
    """Return an agent's tile."""
    now, waits = datetime.now(UTC), rng.random() < 0.4
    return BoardAgent(
        id=_IDS.new(),
        time=now,
        shop_id=shop,
        agent_id=PersonId(f"agent-{number:03}"),
        name=f"客服{number}号",
        state=rng.choice([AgentState.ONLINE, AgentState.BUSY]),
        since=now,
        open_conversations=rng.randrange(9),
        waiting=1 if waits else 0,
        waiting_since=now - timedelta(milliseconds=rng.randrange(1, 240_000)) if waits else None,
        breaching=rng.randrange(2) if waits else 0,
        figures=figures(rng),
    )


def totals(shop: ShopId, rng: random.Random) -> BoardTotals:
    """Return the totals of a moment."""
    now = datetime.now(UTC)
    return BoardTotals(
        id=_IDS.new(),
        time=now,
        shop_id=shop,
        as_of=now,
        delayed_ms=0,
        messages=rng.randrange(10**6),
        open_conversations=2_000,
        waiting=WAITING,
        waiting_since=now - timedelta(seconds=240),
        queued=0,
        breaching=20,
        flags_agent=0,
        flags_buyer=0,
        held=0,
        states={AgentState.ONLINE: AGENTS // 2, AgentState.BUSY: AGENTS // 2},
        figures=figures(rng),
        waiting_longest=tuple(
            WaitingBuyer(
                conversation_id=ConversationId(_IDS.new()),
                agent_id=PersonId(f"agent-{number:03}"),
                waiting_since=now - timedelta(seconds=240 - number),
            )
            for number in range(20)
        ),
    )


async def publish(producer: Producer, shop: ShopId, *, looks: int) -> None:
    """Tell everybody's tile, then of some at each look, with the totals of it."""
    rng, everybody = random.Random(1), range(AGENTS)
    for look in range(looks):
        changed = rng.sample(everybody, CHANGED) if look else everybody
        told = [message_of(tile(shop, number, rng)) for number in changed]
        await asyncio.gather(*await producer.send_all([*told, message_of(totals(shop, rng))]))
        await asyncio.sleep(EVERY_S)
