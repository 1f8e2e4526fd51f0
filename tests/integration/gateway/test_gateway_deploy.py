"""Deploy after deploy under load, on a bus in memory: no message is lost, doubled or out of order.

Each gateway drains while the next one runs; meanwhile the broker withholds its acks, the archive
lags and goes on by jumps, and lines are cut. Real sockets, the reference client, its ledger.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
import pytest

from contracts.frames import CloseCode
from contracts.people import Role
from contracts.topics import TOPICS
from kit.bus.memory import MemoryBus
from kit.bus.ports import Record, TopicPartition
from rehearsal.api import Api, Session
from rehearsal.cast import Backstage, Player, serial_of
from rehearsal.dialogues import Side, Turn
from rehearsal.ledger import Ledger, Serial, Shown
from services.gateway.frames import records
from services.gateway.history import Stored
from tests.faults.network import Network
from tests.integration.gateway.desk import (
    GENERATION,
    Conversation,
    Desk,
    PaperHistory,
    memory_bus,
    opened,
)
from tests.waiting import eventually

pytestmark = pytest.mark.integration

DEPLOYS: Final = 3
TALKS: Final = 5
SAYS_EVERY_S: Final = 0.01
PARTITIONS: Final = 3
QUICK: Final = (0.01, 0.1)
LAST_ANSWER_S: Final = 120
"""The slower the machine, the longer a deploy and the more is said meanwhile, several times as fast
as a client may send: what waits then goes out at the client's pace, and again when it is refused.
"""


# In a crowd of other tests the collector now and then finds one transport of all the lines that are
# cut here unclosed; whose it is has not been found. What is promised is asserted below.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seed", range(2))
async def test_deploys_under_load_lose_nothing(seed: int) -> None:
    rng = random.Random(seed)
    bus = MemoryBus()
    for topic in TOPICS:
        bus.add_topic(topic.name, PARTITIONS if topic.name == "chat" else 1)
    async with AsyncExitStack() as stack, Network() as network:
        producer = bus.producer()
        await producer.start()
        deployed = Deployed(bus, PaperHistory(producer), network)
        desk = await deployed.up()
        stack.push_async_callback(deployed.down)
        talks = [desk.talk() for _ in range(TALKS)]
        people = await stack.enter_async_context(connected(desk, network, talks, rng=rng))
        playing = asyncio.gather(*(people.talk(talk) for talk in talks))
        trouble = [
            asyncio.create_task(work)
            for work in (_archive(deployed, rng), _stall(deployed, rng), people.lose_lines())
        ]
        for _ in range(DEPLOYS):
            await asyncio.sleep(rng.uniform(0.05, 0.2))
            await deployed.again()
        people.enough = True
        for task in trouble:
            task.cancel()
        bus.release_acks()
        await playing
        await eventually(lambda: all(people.ledger.complete(talk.id) for talk in talks))
        people.ledger.history.update(_history(bus, talks))
        found = people.ledger.judge()

    assert len(people.ledger.sent) > DEPLOYS * TALKS
    assert (found.lost, found.doubled, found.out_of_order) == (0, 0, 0), found.examples
    codes = {sent.code for sent in people.ledger.sent.values()}
    assert codes == {None}, "every send was acknowledged in the end"


async def test_who_has_not_said_hello_yet_is_closed_with_the_others() -> None:
    async with opened(memory_bus()) as desk:
        phone = await desk.dial()
        desk.phones.remove(phone)  # it stays on the line until the gateway ends it

    assert await phone.close_code() == CloseCode.DRAINING


# -- gateways ---------------------------------------------------------------------------


class Deployed:
    """The gateway of the moment behind the network; `again` replaces it as a deployment does."""

    def __init__(self, bus: MemoryBus, history: PaperHistory, network: Network) -> None:
        self.bus, self.history, self._network = bus, history, network
        self.starting = asyncio.Lock()
        self._running = AsyncExitStack()

    async def up(self) -> Desk:
        """Start a gateway and let new connections come to it."""
        desk = await self._running.enter_async_context(opened(self.bus, history=self.history))
        self._network.doors.append(int(desk.url.rsplit(":", 1)[1]))
        return desk

    async def again(self) -> None:
        """Start the next gateway, then drain the one before."""
        before, self._running = self._running, AsyncExitStack()
        async with self.starting:
            await self.up()
        old = self._network.doors[0]
        await before.aclose()
        self._network.doors.remove(old)

    async def down(self) -> None:
        """Stop the last one."""
        await self._running.aclose()


# -- trouble ---------------------------------------------------------------------------


async def _stall(deployed: Deployed, rng: random.Random) -> None:
    """Let acks come late, again and again, also past the end of a drain."""
    while True:
        await asyncio.sleep(rng.uniform(0.0, 0.3))
        async with deployed.starting:  # a gateway that starts asks the broker first of all
            deployed.bus.withhold_acks()
            await asyncio.sleep(rng.uniform(0.0, 0.6))
            deployed.bus.release_acks()


async def _archive(deployed: Deployed, rng: random.Random) -> None:
    """Archive the log by jumps, each partition up to somewhere between the mark and its end."""
    history = deployed.history
    while True:
        await asyncio.sleep(rng.uniform(0.0, 0.2))
        for partition in range(PARTITIONS):
            log = deployed.bus.log(TopicPartition("chat", partition))
            mark = history.marks.get(partition, 0)
            end = rng.randint(mark, len(log))
            for record in log[mark:end]:
                _store(history, record)
            history.marks[partition] = end


def _store(history: PaperHistory, record: Record) -> None:
    entry = records.entry_of(record)
    if entry is None or entry.id.decode() in history.messages:
        return
    position = (GENERATION, entry.offset)
    talk, said = history.book[entry.key.decode()], records.spoken(entry)
    history.messages[entry.id.decode()] = Stored(said.body_hash, position)
    talk.items.append(
        {
            "s": f"conv:{talk.id}",
            "position": position,
            "id": entry.id.decode(),
            "type": entry.type.decode(),
            "time": entry.time.decode(),
            "d": msgspec.Raw(entry.value),
        }
    )


# -- people ---------------------------------------------------------------------------


@dataclass
class People:
    """A buyer with two sockets and an agent for each conversation; the first socket speaks."""

    ledger: Ledger
    rng: random.Random
    sides: dict[str, tuple[Player, Player]]
    everybody: list[Player]
    enough: bool = False
    said: int = 0

    async def talk(self, talk: Conversation) -> None:
        """Let both speak until it is enough, and wait for every answer."""
        answers: list[asyncio.Task[None]] = []
        while not self.enough:
            speaker, side = self.rng.choice([*zip(self.sides[talk.id], Side, strict=True)])
            self.said += 1
            saying = speaker.say(talk.id, Turn(side, "在吗"), Serial(self.said), due=0.0)
            answers.append(asyncio.create_task(saying))
            await asyncio.sleep(self.rng.uniform(0.0, 2 * SAYS_EVERY_S))
        async with asyncio.timeout(LAST_ANSWER_S):
            await asyncio.gather(*answers)

    async def lose_lines(self) -> None:
        """Cut somebody's line now and then."""
        while True:
            await asyncio.sleep(self.rng.uniform(0.05, 0.2))
            self.rng.choice(self.everybody).client.drop()


@asynccontextmanager
async def connected(
    desk: Desk, network: Network, talks: Sequence[Conversation], *, rng: random.Random
) -> AsyncIterator[People]:
    """Connect everybody."""
    people = People(Ledger(), rng, {}, [])
    async with Api(network.url) as api:
        backstage = Backstage(
            api, people.ledger, rng, lambda who, why: pytest.fail(f"{who}: {why}"), QUICK
        )
        for talk in talks:
            buyer = desk.token(talk.buyer_id, Role.BUYER)
            sessions = [
                Session(talk.buyer_id, buyer, ""),
                Session(str(talk.agent_id), desk.token(str(talk.agent_id)), ""),
                Session(f"{talk.buyer_id}, second socket", buyer, ""),
            ]
            players = [Player(backstage, one, one.person_id) for one in sessions]
            people.sides[talk.id] = (players[0], players[1])
            people.everybody += players
            for player in players:
                await player.client.open()
                await player.follow(talk.id)
        try:
            yield people
        finally:
            await asyncio.gather(*(player.client.close() for player in people.everybody))


def _history(bus: MemoryBus, talks: Sequence[Conversation]) -> dict[str, list[Shown]]:
    """Return what a complete archive shows: each id at its first place."""
    found: dict[str, dict[str, Shown]] = {talk.id: {} for talk in talks}
    for record in bus.records("chat"):
        entry = records.entry_of(record)
        if entry is not None:
            text = msgspec.json.decode(entry.value)["d"]["text"]
            serial, name = serial_of(text), entry.id.decode()
            assert serial is not None
            shown = Shown(serial, (GENERATION, entry.offset), name)
            found[entry.key.decode()].setdefault(name, shown)
    return {talk: list(shown.values()) for talk, shown in found.items()}
