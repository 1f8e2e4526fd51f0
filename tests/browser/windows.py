"""Chromium as people use it: a browser each, tabs in it, and what a tab complained about."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    async_playwright,
    expect,
)
from rich.console import Console

from launcher.instance.folders import CHECKOUT
from tests.waiting import PATIENCE_S
from tools import browser

PATIENCE_MS: Final = 1000 * PATIENCE_S
"""The longest wait for something that should appear."""
RECONNECT_MS: Final = 60_000
"""The same for a connection that comes back: clients wait up to 30 s between two tries."""
SIZE: Final = {"width": 1440, "height": 900}
PICTURES: Final = CHECKOUT / ".peakdesk" / "pictures"
"""What tabs showed when a journey failed."""
NETWORK: Final = re.compile(r"Failed to load resource|WebSocket connection to")
"""Chromium's own lines about servers that are away, which some journeys take away."""
SERIOUS: Final = frozenset({"serious", "critical"})


@dataclass
class Window:
    """One person's browser: its tabs share storage, cookies and workers, and no other's."""

    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)
    """Errors that pages wrote to their console or did not catch, servers being away aside."""

    async def tab(self, path: str = "") -> Page:
        """Open a tab, and the console in it."""
        page = await self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(f"{self.url}{path}")
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not NETWORK.search(message.text):
            self.complaints.append(message.text)


@dataclass
class Windows:
    """The browsers of one journey."""

    _browser: Browser
    url: str
    opened: list[Window] = field(default_factory=list)

    async def open(self, **options: Any) -> Window:
        """Give somebody a browser of his own; `options` as `Browser.new_context` takes them."""
        chosen: dict[str, Any] = {"locale": "zh-CN", "viewport": SIZE} | options
        context = await self._browser.new_context(**chosen)
        context.set_default_timeout(PATIENCE_MS)
        window = Window(context, self.url)
        self.opened.append(window)
        return window

    async def leave(self, window: Window) -> None:
        """Close somebody's browser; what its tabs complained about is still known."""
        await window.context.close()

    async def keep_pictures(self, name: str) -> list[Path]:
        """Save what every tab shows; return where."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        pages = [page for window in self.opened for page in window.context.pages]
        paths = [PICTURES / f"{name}-{number}.png" for number in range(len(pages))]
        for page, path in zip(pages, paths, strict=True):
            await page.screenshot(path=path)
        return paths


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[Windows]:
    """Have a Chromium of this journey's own, for the platform at `url`."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        chromium = await _start(playwright)
        try:
            yield Windows(chromium, url)
        finally:
            await chromium.close()


async def _start(playwright: Playwright) -> Browser:
    """Start with the sandbox where there is one; pages come from this machine alone."""
    program, given = browser.required(), browser.arguments()
    launch = playwright.chromium.launch
    try:
        return await launch(executable_path=program, args=given)
    except Error:
        Console(stderr=True).print("Chromium does not start with its sandbox: without it.")
        return await launch(executable_path=program, args=[*given, "--no-sandbox"])


def axe() -> str:
    """Return the source of axe-core, for pages that are opened after it was added."""
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


_FADED_IN: Final = """Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
  .map((one) => one.finished.catch(() => null))).then(() => null)"""


async def barriers(page: Page) -> Sequence[str]:
    """Return what keeps people out of this page: rule and element of each serious finding.

    What fades in is pale until it is there, and nobody reads it before.
    """
    await page.evaluate(_FADED_IN)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
