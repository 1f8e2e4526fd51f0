"""`just bench console`: what the console costs its browser, beside a page without any framework.

A real platform, a real Chromium, CPU time of tasks. The desk holds as many conversations as an
agent may have and is told something twice a second for each; the board is that of 500 agents of
whom 200 change with each look.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Final

import pytest
from playwright.async_api import Locator, Page, expect

from contracts.people import Role, ShopId
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Producer
from tests import platform as platforms
from tests.browser.board import sign_in as sign_in_at_the_board
from tests.browser.screens import sign_in
from tests.browser.windows import Window, Windows, browsing
from tests.load import busy_desk, large_board
from tests.load.busy_desk import Desk
from tests.load.floors import page as floor
from tests.load.judging import Bench
from tests.load.ratios import Ratio
from tests.load.tracing import Trace, slowed, traced
from tests.platform import Platform
from tests.world import World

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

BUYERS: Final = 200
"""More no agent may have."""
PER_S: Final = 100.0
SECONDS: Final = 9.0
LOOKS: Final = 20
THROTTLED: Final = 4
KEYS: Final = "亲，您好，这款有现货，今天下单明天就能发出，请放心"
SETTLE_S: Final = 1.0

START_S, LONGEST_MS, FRAME_MS, OPEN_MS, KEY_MS = 2.5, 50.0, 16.0, 300.0, 16.0
"""The most that each may take."""


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """A platform of this bench's own."""
    with platforms.lent("console-bench") as lent:
        yield lent


@pytest.fixture
async def world(platform: Platform) -> AsyncIterator[World]:
    """A shop's people."""
    async with World.of(platform.url, platform.admin) as made:
        yield made


@pytest.fixture
async def windows(platform: Platform) -> AsyncIterator[Windows]:
    """A browser."""
    async with browsing(platform.url) as opened:
        yield opened


@pytest.fixture
async def producer(platform: Platform) -> AsyncIterator[Producer]:
    """What writes past the services: a year's words, and a large shop's board."""
    bus = KafkaBus(platform.known.bootstrap_servers, client_id="peakdesk-bench")
    made = bus.producer()
    await made.start()
    yield made
    await made.stop()
    await bus.close()


@dataclass
class Found:
    """What each part cost in every round, of the console and of its floor."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **found: float) -> None:
        """Note figures of a round."""
        for name, value in found.items():
            self.values.setdefault(name, []).append(value)

    def ratios(self) -> list[Ratio]:
        """Return what is promised, and what the console is to its floor."""
        promised = {
            "a usable desk, CPU s at a quarter of the speed": ("start_s", START_S),
            "the busy desk, longest task in ms": ("desk_longest_ms", LONGEST_MS),
            "the busy desk, p95 of a frame's work in ms": ("desk_p95_ms", FRAME_MS),
            "the large board, longest task in ms": ("board_longest_ms", LONGEST_MS),
            "the large board, p95 of a frame's work in ms": ("board_p95_ms", FRAME_MS),
            "opening a thread of 5,000, ms": ("open_ms", OPEN_MS),
            "a key press in its composer, ms": ("key_ms", KEY_MS),
        }
        beside = {
            "a usable desk to bare rows": ("start_s", "floor_start_s"),
            "the busy desk's page to bare rows": ("desk_ms", "floor_desk_ms"),
            "a key press to one in a bare field": ("key_ms", "floor_key_ms"),
        }
        return [
            *(Ratio(name, self.values[key], most=most) for name, (key, most) in promised.items()),
            *(
                Ratio(name, [a / b for a, b in zip(self.values[x], self.values[y], strict=True)])
                for name, (x, y) in beside.items()
            ),
        ]


async def test_the_console_beside_a_bare_page(
    bench: Bench, windows: Windows, world: World, producer: Producer
) -> None:
    shop = await world.shop()
    desk = await busy_desk.filled(world, shop, buyers=BUYERS)
    await busy_desk.lengthen(producer, desk)
    found = Found()
    for _ in range(bench.rounds):
        window = await windows.open()
        await beside(window, found)
        page = await started(window, desk, found)
        await threaded(page, found)
        await busy(page, desk, found)
        await windows.leave(window)
        await watched(windows, world, producer, found=found)
    bench.report("Console: CPU of the browser", found.ratios(), {"rounds": found.values})


async def started(window: Window, desk: Desk, found: Found) -> Page:
    """Sign in on a slow machine; return the desk once it can be worked at."""
    page = await window.tab("/sign-in")
    await asyncio.sleep(SETTLE_S)
    slow = await slowed(page, THROTTLED)
    async with traced(page) as trace:
        shown = await sign_in(page, desk.login)
        await expect(shown.rows.first).to_be_visible()
    await slow.detach()
    found.add(start_s=trace.cpu_ms / 1000, start_page_s=trace.page_ms / 1000)
    await asyncio.sleep(SETTLE_S)
    return page


async def threaded(page: Page, found: Found) -> None:
    """Open the long thread, and write in it."""
    log = page.get_by_role("log")
    row = page.get_by_role("listbox").get_by_role("option").filter(has_text=busy_desk.LAST)
    async with traced(page) as trace:
        await row.click()
        await expect(log.get_by_role("listitem").first).to_be_visible()
    found.add(open_ms=trace.page_ms)
    await asyncio.sleep(SETTLE_S)
    begun = asyncio.get_running_loop().time()
    typing = await written(page, page.get_by_role("textbox", name="回复"))
    took_s = asyncio.get_running_loop().time() - begun
    async with traced(page) as resting:
        await asyncio.sleep(took_s)
    # What the desk does anyhow, such as moving 200 waits on each second, is no key's.
    found.add(
        key_ms=(typing.page_ms - resting.page_ms) / len(KEYS),
        resting_ms_per_s=resting.page_ms / took_s,
    )


async def busy(page: Page, desk: Desk, found: Found) -> None:
    """Let all buyers talk beside the open thread."""
    playing = asyncio.create_task(desk.play(per_s=PER_S, seconds=SECONDS + SETTLE_S))
    await asyncio.sleep(SETTLE_S)
    async with traced(page) as trace:
        await asyncio.sleep(SECONDS - SETTLE_S)
    said = await playing
    found.add(
        desk_ms=trace.page_ms,
        desk_beside_ms=trace.cpu_ms - trace.page_ms,
        desk_longest_ms=trace.longest_ms,
        desk_p95_ms=trace.p95_ms,
        desk_said_per_s=said / (SECONDS + SETTLE_S),
    )


async def watched(windows: Windows, world: World, producer: Producer, *, found: Found) -> None:
    """Look at a large shop's board."""
    shop, window = await world.shop(), await windows.open()
    leader = await world.hire(shop, Role.SUPERVISOR)
    board = await sign_in_at_the_board(await window.tab("/sign-in"), leader)
    await expect(board.tile("等待中")).to_be_visible()
    playing = asyncio.create_task(large_board.publish(producer, ShopId(shop.id), looks=LOOKS))
    await expect(board.tile("等待中")).to_contain_text(f"{large_board.WAITING}")
    async with traced(board.page) as trace:
        await asyncio.sleep(LOOKS * large_board.EVERY_S * 0.8)
    await playing
    found.add(board_ms=trace.page_ms, board_longest_ms=trace.longest_ms, board_p95_ms=trace.p95_ms)
    await windows.leave(window)


async def beside(window: Window, found: Found) -> None:
    """Measure the floor: as many rows, as many changes of them, and a bare field."""
    page = await window.context.new_page()
    slow = await slowed(page, THROTTLED)
    async with traced(page) as trace:
        await page.set_content(floor.HTML)
        await page.evaluate(f"fill({BUYERS})")
        await expect(page.locator("li").first).to_be_visible()
    await slow.detach()
    found.add(floor_start_s=trace.cpu_ms / 1000)
    trace = await written(page, page.locator("textarea"))
    found.add(floor_key_ms=trace.page_ms / len(KEYS))
    await page.evaluate(f"play({PER_S:.0f})")
    async with traced(page) as trace:
        await asyncio.sleep(SECONDS - SETTLE_S)
    found.add(floor_desk_ms=trace.page_ms, floor_desk_longest_ms=trace.longest_ms)
    await page.close()


async def written(page: Page, place: Locator) -> Trace:
    """Write key by key, as fast as people do."""
    await place.focus()
    async with traced(page) as trace:
        await place.press_sequentially(KEYS, delay=60)
    return trace
