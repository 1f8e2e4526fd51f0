"""`just bench idle`: 5,000 authenticated, subscribed, silent sockets on one gateway process.

Product and floor hold them in turn, each round in a fresh process, for an allocator that has held
thousands once gives little back. Nothing here is a timed test.
"""

import json
import resource
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from statistics import median
from typing import Final

import psutil
import pytest
from rich.console import Console
from rich.table import Table

from contracts.people import Role
from launcher import ports
from rehearsal.api import Api
from tests import platform as platforms
from tests.load import ground, idle, systems
from tests.load.generator import Pair
from tests.load.processes import CHECKOUT
from tests.platform import Platform
from tests.world import World

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

ROUNDS: Final = 3
MOST_KIB: Final = 15.0
FILES: Final = 3 * idle.SOCKETS
RESULTS: Final = CHECKOUT / ".peakdesk" / "bench" / "idle.json"


@pytest.fixture(scope="session")
def standing() -> Platform:
    """The whole platform on the benches' instance."""
    return platforms.running(ground.INSTANCE)


async def test_five_thousand_idle_sockets(standing: Platform) -> None:
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
        for number in range(ROUNDS):
            people = idle.pairs(standing, shop.id, seated)
            floor.append(await _on_the_floor(standing, people))
            product.append(await _on_the_product(standing, people))
            sys.stdout.write(
                f"  round {number + 1}  floor {floor[-1]:.1f} KiB  PeakDesk {product[-1]:.1f} KiB\n"
            )
    report(product, floor)


def report(product: Sequence[float], floor: Sequence[float]) -> None:
    """Print and store what a socket costs."""
    ratios = [own / bare for own, bare in zip(product, floor, strict=True)]
    table = Table(title=f"KiB resident per idle socket, {idle.SOCKETS} of them")
    for heading in ("what", "min", "median", "max", "target", ""):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    met = median(product) <= MOST_KIB
    verdict = "met" if met else "missed"
    for name, values, *rest in (
        ("floor: uvicorn + picows alone", floor),
        ("PeakDesk: signed in and subscribed", product, f"<= {MOST_KIB:g}", verdict),
        ("ratio", ratios),
    ):
        numbers = (min(values), median(values), max(values))
        table.add_row(name, *(f"{n:.2f}" for n in numbers), *rest)
    Console(width=110).print(table)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    document = {"sockets": idle.SOCKETS, "floor_kib": floor, "product_kib": product, "met": met}
    RESULTS.write_text(json.dumps(document, indent=1), encoding="utf-8")
    sys.stdout.write(f"All figures: {RESULTS.relative_to(CHECKOUT)}\n")


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
