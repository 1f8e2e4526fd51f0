"""`just bench idle`: 5,000 authenticated, subscribed, silent sockets on one gateway process.

Product and floor hold them in turn, each round in a fresh process, for an allocator that has held
thousands once gives little back. Then the platform without anybody: its start, and what it costs to
stand. Nothing here is a timed test.
"""

import resource
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Final

import psutil
import pytest

from contracts.people import Role
from launcher.instance import ports
from rehearsal.api import Api
from tests import platform as platforms
from tests.load import ground, idle, systems
from tests.load.checkout import Checkout
from tests.load.fairness import counted
from tests.load.generator import Pair
from tests.load.judging import Bench
from tests.load.processes import CHECKOUT
from tests.load.ratios import Ratio
from tests.load.resting import rest
from tests.platform import Platform
from tests.world import World

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

MOST_KIB: Final = 15.0
MOST_START_S: Final = 15
MOST_IDLE_PERCENT: Final = 5
FILES: Final = 3 * idle.SOCKETS


@pytest.fixture(scope="session")
def standing() -> Platform:
    """The whole platform on the benches' instance."""
    return platforms.running(ground.INSTANCE)


async def test_five_thousand_idle_sockets(standing: Platform, bench: Bench) -> None:
    _allow_files()
    product, floor = [], []
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(Api(standing.url))
        world = World(api, await api.sign_in(*standing.admin))
        stack.push_async_callback(world.close)
        shop = await world.shop()
        agent = await world.staff(shop, Role.AGENT)
        seated = await idle.seats(standing, shop, agent)
        stack.push_async_callback(idle.forget, standing, shop.id)
        for number in range(bench.rounds):
            people = idle.pairs(standing, shop.id, seated)
            floor.append(await _on_the_floor(standing, people))
            product.append(await _on_the_product(standing, people))
            sys.stdout.write(
                f"  round {number + 1}  floor {floor[-1]:.1f} KiB  PeakDesk {product[-1]:.1f} KiB\n"
            )
    bench.report(
        f"KiB resident per idle socket, {idle.SOCKETS} of them",
        [
            Ratio("floor: uvicorn + picows alone", floor),
            Ratio("PeakDesk: signed in and subscribed", product, most=MOST_KIB),
            Ratio("ratio", [own / bare for own, bare in zip(product, floor, strict=True)]),
        ],
        {"sockets": idle.SOCKETS},
    )


async def test_the_platform_when_nobody_is_there(bench: Bench) -> None:
    own = Checkout(CHECKOUT)
    with own.running():
        pass  # the first start makes and migrates: it is not what is measured
    found = []
    for number in range(bench.rounds):
        found.append(await rest(own))
        sys.stdout.write(
            f"  round {number + 1}  start {found[-1].start_s} s  idle {found[-1].total:.1f} %"
            f" of a core{found[-1].others.remark}\n"
        )
    calm = counted(found, lambda one: one.others.disturb)
    bench.report(
        "The whole platform with nobody there: start in s, CPU in percent of a core",
        [
            Ratio(
                "start of the whole platform, s", [one.start_s for one in calm], most=MOST_START_S
            ),
            Ratio(
                "CPU of the idle platform, %", [one.total for one in calm], most=MOST_IDLE_PERCENT
            ),
            *(
                Ratio(f"of it {name}", [one.percent[name] for one in calm])
                for name in found[0].percent
            ),
        ],
        {"rounds": [asdict(one) for one in found]},
        part="rest",
    )


async def _on_the_floor(standing: Platform, people: Sequence[Pair]) -> float:
    async with AsyncExitStack() as stack:
        floor = await systems.floor(stack, standing, ports.choose(1).base)
        return await idle.kib_each(floor.gateway.pid, floor.urls[0], people)


async def _on_the_product(standing: Platform, people: Sequence[Pair]) -> float:
    standing.drain("gateway")
    standing.start("gateway")
    pid = standing.pid("gateway")
    _, hard = psutil.Process(pid).rlimit(psutil.RLIMIT_NOFILE)
    psutil.Process(pid).rlimit(psutil.RLIMIT_NOFILE, (min(FILES, hard), hard))
    url = standing.url.replace("http", "ws") + "/v1/ws"
    return await idle.kib_each(pid, url, people)


def _allow_files() -> None:
    """Let this process, and the floor that it starts, hold that many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
