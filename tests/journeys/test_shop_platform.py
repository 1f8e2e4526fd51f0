"""What `docs/shop-platform.md` tells a shop's own system, run word by word against a platform."""

import ast
import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.world import World

pytestmark = pytest.mark.journey

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "shop-platform.md"
ENDS_S: Final = 60


def shown() -> str:
    """Return the program on the page."""
    _, _, behind = PAGE.read_text().partition("<!-- run -->\n```python\n")
    return behind.partition("```")[0]


async def test_the_lines_of_the_page_bring_a_paid_order_to_the_buyer_whom_the_shop_names(
    world: World,
) -> None:
    shop = await world.shop()
    told = await shop.boss.call("GET", f"/v1/intake/{shop.id}/secret")
    given = {"DESK": world.api.base_url, "SHOP": shop.id, "SECRET": told["secret"]}

    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", shown()],
        env=given | {"no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=ENDS_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr

    receipts = [ast.literal_eval(line) for line in ran.stdout.splitlines()]
    buyer = await world.known_buyer(shop, "林女士", "tb-lin")
    order = await shop.boss.call("GET", f"/v1/orders/{receipts[0]['order_id']}")
    assert [one["state"] for one in receipts] == ["placed", "paid"]
    assert {one["external_id"] for one in receipts} == {"T20261111-0001"}
    assert order["buyer"]["id"] == buyer.id
