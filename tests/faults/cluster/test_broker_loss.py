"""One of three brokers is killed while shops chat: nothing acknowledged is lost, nobody waits long.

Starts an instance of its own with three brokers (2.1 GB of memory), so it runs on demand alone:
`just prove cluster`.
"""

import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from rich.console import Console

from launcher import infrastructure, seed, services
from launcher.infrastructure import Wanted
from launcher.instance import instance
from launcher.instance.instance import Instance
from launcher.instance.processes import Processes
from rehearsal.api import Api
from tests.waiting import eventually
from tests.world import Person, World

pytestmark = [pytest.mark.fault, pytest.mark.heavy]

CHECKOUT = Path(__file__).resolve().parents[3]
NAME = "cluster"
BROKERS = 3
VICTIM = "kafka-1"
START_S = 400
RATE, SECONDS = 50, 40
KILL_AT = 0.25
"""Share of the rehearsal that is played when the broker is killed."""
PULSES = 12
"""As many conversations as the topic has partitions: some are led by the victim for certain."""
PULSE_EVERY_S = 0.25
LONGEST_PAUSE_S = 10.0
FELT_S = 1.0
"""A run in which nobody waits this long has not met the fault."""
PATIENCE_S = 60.0


def launch(command: str, *options: str) -> None:
    argv = [sys.executable, "-m", "launcher.cli", command, "--instance", NAME, *options]
    done = subprocess.run(
        argv, cwd=CHECKOUT, check=False, timeout=START_S, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def cluster() -> Iterator[Instance]:
    """The whole platform on three brokers."""
    launch("up", "--brokers", str(BROKERS), "--test-data", "--no-keeper")
    known = instance.load(infrastructure.folder_of(Wanted(NAME)))
    assert known is not None
    yield known
    launch("down")


@pytest.fixture
async def world(cluster: Instance) -> AsyncIterator[World]:
    """Shops and people of this test's own."""
    admin = seed.logins(cluster)[0]
    async with Api(services.public_url(cluster)) as api:
        made = World(api, await api.sign_in(admin.login, admin.password))
        yield made
        await made.close()


@dataclass
class Pulse:
    """A buyer who says a number, waits for its ok, and says the next: what a pause feels like."""

    buyer: Person
    agent: Person
    conversation: str
    said: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def beat(self, over: asyncio.Event) -> None:
        """Go on until `over`."""
        for number in itertools.count():
            if over.is_set():
                return
            begun = time.monotonic()
            sending = self.buyer.client.send(
                f"conv:{self.conversation}",
                "text",
                {"text": str(number)},
                client_id=str(uuid.uuid4()),
            )
            async with asyncio.timeout(PATIENCE_S):
                answer = await sending
            assert answer.code is None, answer
            self.waits.append(time.monotonic() - begun)
            self.said.append(str(number))
            await asyncio.wait([asyncio.create_task(over.wait())], timeout=PULSE_EVERY_S)

    def shown(self) -> bool:
        """Whether the agent's screen holds everything that was acknowledged."""
        return len(self.agent.texts(self.conversation)) >= len(self.said)


async def rehearse(report: Path, victim: Instance) -> str:
    """Play a rehearsal that writes its report, kill one broker in its midst; return its words."""
    playing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "launcher.cli", "rehearse", "--instance", NAME),
        *("--rate", str(RATE), "--seconds", str(SECONDS), "--json", str(report)),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert playing.stdout is not None
    lines, killed = [], False
    try:
        async with asyncio.timeout(SECONDS * 5):
            async for raw in playing.stdout:
                lines.append(raw.decode())
                played = re.match(r"playing: (\d+) of (\d+)", lines[-1])
                if played and not killed and int(played[1]) > KILL_AT * int(played[2]):
                    broker = Processes(victim).find(VICTIM)
                    assert broker is not None
                    broker.kill()
                    killed = True
            await playing.wait()
    finally:
        if playing.returncode is None:
            playing.kill()
    assert killed, "".join(lines)
    return "".join(lines)


async def test_every_record_has_three_copies(cluster: Instance) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers)
    await admin.start()
    try:
        described = await admin.describe_topics(["chat", "directory", "dead.conversation.archive"])
    finally:
        await admin.close()

    copies = {len(part["replicas"]) for topic in described for part in topic["partitions"]}
    assert copies == {BROKERS}


@pytest.mark.timeout(500)
async def test_a_killed_broker_loses_nothing_and_nobody_waits_long(
    cluster: Instance, world: World, tmp_path: Path
) -> None:
    shop = await world.shop()
    agent = await world.agent(shop, capacity=PULSES)
    buyers = [await world.buyer(shop) for _ in range(PULSES)]
    pulses = [Pulse(buyer, agent, await world.talk(buyer, agent)) for buyer in buyers]
    over = asyncio.Event()

    async with asyncio.TaskGroup() as beating:
        for pulse in pulses:
            beating.create_task(pulse.beat(over))
        words = await rehearse(tmp_path / "report.json", cluster)
        over.set()
    report = read(tmp_path / "report.json")

    for pulse in pulses:
        await eventually(pulse.shown, within=PATIENCE_S, what="everything is on the screen")
        assert agent.texts(pulse.conversation) == pulse.said
    longest = max(wait for pulse in pulses for wait in pulse.waits)
    sent = sum(len(pulse.said) for pulse in pulses)
    Console().print(
        f"{VICTIM} of {BROKERS} killed: {report['acknowledged'] + sent} acknowledged, "
        f"{report['lost']} lost, {report['doubled']} doubled, {report['out_of_order']} out of "
        f"order; longest wait for an ok {longest:.1f} s"
    )
    assert (report["lost"], report["doubled"], report["out_of_order"]) == (0, 0, 0), words
    assert report["archived"] == report["acknowledged"]
    assert report["monitor"]["different"] == 0
    assert FELT_S < longest <= LONGEST_PAUSE_S


def read(report: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found
