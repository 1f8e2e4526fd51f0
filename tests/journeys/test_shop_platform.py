"""What pages tell a shop's own system to do, run word by word against a running platform."""

import ast
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.platform import Platform
from tests.world import Shop, World

pytestmark = pytest.mark.journey

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
ENDS_S: Final = 60
PAID: Final = "order.paid.v1"


def shown(page: str) -> str:
    """Return the program on a page."""
    _, _, behind = (DOCS / page).read_text().partition("<!-- run -->\n```python\n")
    return behind.partition("```")[0]


@asynccontextmanager
async def started(page: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Have a page's program run, and end it."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        shown(page),
        env=environment | {"no_proxy": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield program
    finally:
        if program.returncode is None:
            program.kill()
        await program.wait()


async def delivered(world: World, shop: Shop) -> list[dict[str, object]]:
    """Run the program that tells of an order and its payment; return what it was answered."""
    told = await shop.boss.call("GET", f"/v1/intake/{shop.id}/secret")
    given = {"DESK": world.api.base_url, "SHOP": shop.id, "SECRET": str(told["secret"])}
    async with started("shop-platform.md", **given) as program:
        out, complaints = await asyncio.wait_for(program.communicate(), ENDS_S)
    assert program.returncode == 0, complaints.decode()
    return [ast.literal_eval(line) for line in out.decode().splitlines()]


async def test_a_delivery_brings_a_paid_order_to_the_buyer_whom_the_shop_names(
    world: World,
) -> None:
    shop = await world.shop()
    receipts = await delivered(world, shop)
    buyer = await world.known_buyer(shop, "林女士", "tb-lin")
    order = await shop.boss.call("GET", f"/v1/orders/{receipts[0]['order_id']}")

    assert [one["state"] for one in receipts] == ["placed", "paid"]
    assert {one["external_id"] for one in receipts} == {"T20261111-0001"}
    assert order["buyer"]["id"] == buyer.id


async def test_a_subscriber_hears_of_the_payment(world: World, platform: Platform) -> None:
    shop = await world.shop()
    receipts = await delivered(world, shop)

    async with started("topics.md", KAFKA=platform.known.bootstrap_servers) as program:
        said = await asyncio.wait_for(_paid(program, shop), ENDS_S)

    _, _, event = said.partition(" ")
    assert ast.literal_eval(event)["order_id"] == receipts[1]["order_id"]


async def _paid(program: asyncio.subprocess.Process, shop: Shop) -> str:
    assert program.stdout is not None
    assert program.stderr is not None
    async for line in program.stdout:
        kind, _, said = line.decode().partition(" ")
        if kind == PAID and shop.id in said:
            return said
    raise AssertionError((await program.stderr.read()).decode())
