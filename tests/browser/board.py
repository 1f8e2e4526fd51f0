"""The supervisor's board as somebody at it sees and uses it: by roles and names."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from playwright.async_api import Locator, Page, expect

from tests.world import Login

_SEEN: Final = """() => {
    const label = (one) => one.querySelector('.label').textContent;
    const number = (text) => Number(text.replace(/[^0-9]/g, ''));
    const tiles = Object.fromEntries([...document.querySelectorAll('.tile')].map((one) => [
        label(one), ['.value', '.about'].map((part) => one.querySelector(part).textContent)]));
    return [
        document.querySelector('time').dateTime,
        number(tiles['接待中'][1]), number(tiles['接待中'][0]), number(tiles['等待中'][0]),
        number(tiles['拦截'][0]),
        tiles['平均响应'][0].trim() === '—' ? 0 : number(tiles['平均响应'][1]),
    ];
}"""
"""All figures of one moment: a locator for each would read them one after another."""


class Seen(NamedTuple):
    """Figures of one board."""

    as_of: str
    messages: int
    open: int
    waiting: int
    held: int
    rounds: int


@dataclass(frozen=True)
class Board:
    """The figures, the agents, and what lies behind them."""

    page: Page

    @property
    def drawer(self) -> Locator:
        """What lies behind a figure, or a conversation of it."""
        return self.page.get_by_role("dialog")

    @property
    def violations(self) -> Locator:
        """Held and flagged messages, newest first."""
        return self.page.get_by_role("region", name="违规与告警").get_by_role("listitem")

    def tile(self, label: str) -> Locator:
        """Return the button of a figure."""
        figures = self.page.get_by_role("region", name="当前数字")
        return figures.get_by_role("button", name=re.compile(f"^{label}"))

    def agent(self, name: str) -> Locator:
        """Return an agent's row."""
        return self.page.get_by_role("row").filter(has_text=name)

    async def profile(self) -> str:
        """Return the profile that is counted by."""
        return await self.page.get_by_label("口径").input_value()

    async def seen(self) -> Seen:
        """Return the figures that stand on the screen together."""
        return Seen(*await self.page.evaluate(_SEEN))

    async def open(self, label: str) -> Locator:
        """Press a figure; return the rows behind it."""
        await self.tile(label).click()
        return self.drawer.get_by_role("listitem")


async def sign_in(page: Page, login: Login) -> Board:
    """Sign in on the page that asks for it; a supervisor is led to the board."""
    await page.get_by_label("账号").fill(login.name)
    await page.get_by_label("密码", exact=True).fill(login.password)
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.get_by_role("heading", name="实时看板")).to_be_visible()
    return Board(page)
