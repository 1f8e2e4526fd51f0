"""A desk as full as one may be: buyers who talk to one agent, and a thread as long as a year's.

Must not know a browser, or what is measured.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.gateway import ChatMessage
from contracts.people import ConversationId, PersonId, Role, SenderKind, ShopId
from kit.bus.ports import Producer, message_of
from kit.clock import SystemClock
from kit.ids import Uuid7Ids
from tests.load.dialogue import TURNS
from tests.world import Login, Person, Shop, World, archived

AT_ONCE: Final = 8
"""Buyers who come together: each opens a session, a conversation and a socket."""

LONG: Final = "龙老板"
LONG_HAS: Final = 5_000
LAST: Final = "这是最后一句"

_IDS: Final = Uuid7Ids(SystemClock())


@dataclass(frozen=True, slots=True)
class Desk:
    """An agent, and who talks to him; the first of them has said the most by far."""

    login: Login
    agent: Person
    talks: Sequence[tuple[Person, str]]

    async def play(self, *, per_s: float, seconds: float) -> int:
        """Let buyers say something, one after another; return how many words there were."""
        rng, said, clock = random.Random(1), 0, asyncio.get_running_loop()
        begun = clock.time()
        sending: set[asyncio.Task[object]] = set()
        while (now := clock.time()) < begun + seconds:
            while said < (now - begun) * per_s:
                buyer, conversation = self.talks[1 + rng.randrange(len(self.talks) - 1)]
                words = f"{rng.choice(TURNS)} {said}"
                task: asyncio.Task[object] = asyncio.create_task(buyer.say(conversation, words))
                sending.add(task)
                task.add_done_callback(sending.discard)
                said += 1
            await asyncio.sleep(0.01)
        await asyncio.gather(*sending)
        return said


async def filled(world: World, shop: Shop, *, buyers: int) -> Desk:
    """Have an agent who has as many conversations, each with a few words in it."""
    login = await world.hire(shop, Role.AGENT, name="客服甲", capacity=buyers)
    session = await world.api.sign_in(login.name, login.password)
    agent = await world.person(session, shop.id).connect("inbox")
    await agent.call("PUT", "/v1/agents/me/state", {"state": "online"})
    gate = asyncio.Semaphore(AT_ONCE)

    async def come(number: int) -> tuple[Person, str]:
        async with gate:
            name = LONG if number == 0 else f"买家{number}"
            buyer = await world.buyer(shop, name)
            conversation = await world.talk(buyer)
            await buyer.say(conversation, f"在吗 {number}")
            return buyer, conversation

    talks = await asyncio.gather(*(come(number) for number in range(buyers)))
    return Desk(login, agent, talks)


async def lengthen(producer: Producer, desk: Desk) -> None:
    """Let the first conversation be as long as it may get, in the log and in the archive."""
    buyer, conversation = desk.talks[0]
    shop, now = ShopId(buyer.shop_id), datetime.now(UTC) - timedelta(hours=2)
    rng = random.Random(2)
    texts = [*(rng.choice(TURNS) for _ in range(LONG_HAS - 1)), LAST]
    messages = [
        message_of(
            ChatMessage(
                id=_IDS.new(),
                time=now + timedelta(seconds=number),
                shop_id=shop,
                conversation_id=ConversationId(conversation),
                sender_id=PersonId(buyer.id),
                sender_kind=SenderKind.BUYER,
                client_id=f"bench-{number}",
                kind="text",
                d={"text": text},
                body_hash=f"{number:032x}",
            )
        )
        for number, text in enumerate(texts)
    ]
    for first in range(0, len(messages), 500):
        await asyncio.gather(*await producer.send_all(messages[first : first + 500]))
    await archived(desk.agent, conversation, LONG_HAS)
