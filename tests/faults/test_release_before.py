"""Gateway and monitor of the release before, beside today's, and every event played to both.

For minutes of each deployment it is so: nothing that a new release says may end or stop an older
reader, and no buyer at an older gateway may see what is for staff alone (F33).
"""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

import contracts
from contracts.people import Role
from contracts.topics import DEAD_PREFIX, GROUPS
from kit.bus import deadletter
from kit.bus.kafka import KafkaBus
from kit.bus.kafka.groups import group_facts
from kit.bus.ports import Message
from launcher import services
from tests import platform as platforms
from tests.platform import CHECKOUT, Platform
from tests.waiting import eventually
from tests.world import Person, Shop, World

pytestmark = [pytest.mark.fault, pytest.mark.heavy, pytest.mark.timeout(900)]

NAME: Final = "releases"
CANARY: Final = "只给同事看的话"
CONTRACT: Final = "contracts/asyncapi.json"
SAMPLES: Final = sorted((Path(contracts.__file__).parent / "samples").glob("*.json"))
MONITORS: Final = tuple(group for group in GROUPS if group.startswith("monitor."))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as it was before what is said on topics changed last, with its own packages."""
    changed = _git("log", "-1", "--format=%H", "--", CONTRACT).decode().strip()
    folder = tmp_path_factory.mktemp("before")
    packed = _git("archive", f"{changed}^")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    subprocess.run([str(folder / "peakdesk"), "--help"], stdout=subprocess.DEVNULL, check=True)
    return folder


@pytest.fixture(scope="module")
def platform(before: Path) -> Iterator[Platform]:
    """Today's platform with a gateway and a monitor of the release before beside its own."""
    with platforms.lent(NAME) as lent:
        lent.start_second("gateway", code=before, GATEWAY_ID=f"{NAME}-2")
        lent.start_second("monitor", code=before)
        try:
            yield lent
        finally:
            for name in ("gateway-2", "monitor-2"):
                lent.drain(name)


async def test_nothing_that_is_said_today_stops_or_sets_back_who_reads_as_before(
    platform: Platform,
) -> None:
    bus = KafkaBus(platform.known.bootstrap_servers, client_id="peakdesk-releases")
    try:
        set_aside = await _set_aside(bus)
        await _played(bus)
        await eventually(partial(_is_read, bus), what="both releases have read every event")
        await asyncio.to_thread(platform.drain, "monitor")
        await _played(bus)
        await eventually(partial(_is_read, bus), what="the monitor of before has, alone")
        await asyncio.to_thread(platform.start, "monitor")

        assert await _set_aside(bus) == set_aside
        for name in ("gateway", "gateway-2", "monitor", "monitor-2"):
            assert platform.pid(name), "it runs, or this raises"
    finally:
        await bus.close()
    code, said = await asyncio.to_thread(partial(platform.task, "monitor", "recompute"))
    assert code == 0, said


async def test_over_both_people_talk_and_no_buyer_sees_what_is_for_staff(
    platform: Platform,
) -> None:
    port = platform.known.ports.service("gateway") + platforms.SECOND
    async with (
        World.of(platform.url, platform.admin) as here,
        World.of(f"http://{services.LOCALHOST}:{port}", platform.admin) as there,
    ):
        shop = await here.shop()
        agent = await here.agent(shop)
        colleague = await _colleague(there, shop)
        near, far = await here.buyer(shop), await there.buyer(shop)
        for buyer in (near, far):
            talk = await here.talk(buyer, agent)
            await colleague.client.subscribe(f"conv:{talk}")
            sent = agent.client.send(f"conv:{talk}", "note", {"text": CANARY}, client_id=talk)
            async with asyncio.timeout(30):
                await sent
            await agent.say(talk, "亲，在的")
            await buyer.sees("亲，在的")
            await buyer.say(talk, "好的")
            await colleague.sees("好的")

        for buyer in (near, far):
            assert CANARY not in str([*buyer.events, *buyer.states, *buyer.repeats])
        assert CANARY in str([*colleague.events, *colleague.states])


async def _colleague(world: World, shop: Shop) -> Person:
    person = await world.staff(shop, Role.SUPERVISOR)
    return await person.connect()


async def _played(bus: KafkaBus) -> None:
    """Say everything that may be said, as its sample has it."""
    producer = bus.producer()
    await producer.start()
    try:
        for path in SAMPLES:
            said = json.loads(path.read_text(encoding="utf-8"))
            headers = tuple((name, text.encode()) for name, text in said["headers"].items())
            value = json.dumps(said["body"]).encode()
            await producer.send(Message(said["topic"], said["key"].encode(), value, headers))
    finally:
        await producer.stop()


async def _is_read(bus: KafkaBus) -> bool:
    """Tell whether the monitors have committed all that there is."""
    for facts in await group_facts(bus.connection, MONITORS):
        if not facts.committed:
            continue
        reader = bus.reader(sorted({place.topic for place in facts.committed}))
        await reader.start()
        try:
            ends = await reader.end_offsets(list(facts.committed))
        finally:
            await reader.stop()
        if any(facts.committed[place] < end for place, end in ends.items()):
            return False
    return True


async def _set_aside(bus: KafkaBus) -> dict[str, int]:
    """Count what the monitors could not read, by their dead letters."""
    letters = {group: await deadletter.letters(bus, group) for group in MONITORS}
    return {f"{DEAD_PREFIX}{group}": len(found) for group, found in letters.items()}


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=CHECKOUT, check=True, stdout=subprocess.PIPE)
    return done.stdout
