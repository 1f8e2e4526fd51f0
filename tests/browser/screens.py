"""The console as somebody at it sees and uses it: by roles and names, never by classes or ids."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from playwright.async_api import Locator, Page, expect

from kit.text import mask_name
from tests.browser.windows import RECONNECT_MS
from tests.world import Login


@dataclass(frozen=True)
class Conversation:
    """The thread on screen and its composer."""

    page: Page

    @property
    def log(self) -> Locator:
        """What was said, oldest first."""
        return self.page.get_by_role("log")

    @property
    def composer(self) -> Locator:
        """Where one writes."""
        return self.page.get_by_role("textbox", name="回复")

    @property
    def note(self) -> Locator:
        """Where one writes what colleagues alone see."""
        return self.page.get_by_role("textbox", name="便签")

    @property
    def send_button(self) -> Locator:
        """The button that sends."""
        return self.page.get_by_role("button", name="发送", exact=True)

    def bubble(self, text: str) -> Locator:
        """Return the entry of the thread with this text."""
        return self.log.get_by_role("listitem").filter(has_text=text)

    async def is_with(self, buyer: str) -> None:
        """Wait until this is the conversation with `buyer`."""
        await expect(self.page.get_by_role("heading", name=mask_name(buyer))).to_be_visible()

    async def write(self, text: str) -> None:
        """Type without sending."""
        await self.composer.fill(text)

    async def say(self, text: str) -> None:
        """Type and press Enter."""
        await self.write(text)
        await self.composer.press("Enter")

    async def hand_on(self, to: str, note: str, *, press: str = "keys") -> None:
        """Hand the conversation on with a note, by keys as far as there are some, or `dblclick`."""
        await self.page.keyboard.press("Alt+t")
        dialog = self.page.get_by_role("dialog", name="转接")
        choice = dialog.get_by_label("转给")
        named = choice.get_by_role("option").filter(has_text=to).first
        await choice.select_option(await named.get_attribute("value"))
        await dialog.get_by_label("交接备注").fill(note)
        if press == "dblclick":
            await dialog.get_by_role("button", name="转接").dblclick()
        else:
            await self.page.keyboard.press("Control+Enter")
        await expect(dialog).to_be_hidden()

    async def shows(self, text: str, state: str = "") -> None:
        """Wait until the thread has the text once, in this state of sending if one is named."""
        await expect(self.bubble(text)).to_have_count(1)
        await expect(self.bubble(text)).to_contain_text(state)

    async def read_to(self, text: str) -> None:
        """Go down from where one stopped reading, until the last words are there."""
        log = self.page.get_by_role("log")
        while not await self.bubble(text).is_visible():
            await log.press("End")
            await asyncio.sleep(0.1)

    async def scroll_to_the_first(self) -> list[float]:
        """Scroll up until nothing older comes; return what each page moved the rest by, in px."""
        return list(await self.page.evaluate(_SCROLL_UP))

    async def nodes(self) -> int:
        """Return how many elements the page has."""
        return int(await self.page.evaluate("document.querySelectorAll('*').length"))


_SCROLL_UP: Final = """async () => {
  const log = document.querySelector('[role=log]');
  const frames = async (count) => {
    while (count-- > 0) await new Promise(requestAnimationFrame);
  };
  const moved = [];
  for (let quiet = 0; quiet < 60; ) {
    await frames(3);
    const top = log.getBoundingClientRect().top;
    const place = (row) => row.getBoundingClientRect().top;
    const seen = [...log.querySelectorAll('li')].find((row) => place(row) >= top);
    const height = log.scrollHeight;
    const step = Math.min(200, log.scrollTop);
    const expected = seen && place(seen) + step;
    log.scrollTop -= step;
    for (let waited = 0; waited < 30 && log.scrollHeight === height; waited += 1) await frames(1);
    if (log.scrollHeight === height) {
      quiet = log.scrollTop === 0 ? quiet + 30 : 0;
      continue;
    }
    await frames(3);
    if (seen?.isConnected) moved.push(place(seen) - expected);
  }
  return moved;
}"""


@dataclass(frozen=True)
class Desk:
    """The workbench: who waits, and the conversation that is open."""

    page: Page

    @property
    def rows(self) -> Locator:
        """The list, longest waiting first."""
        return self.page.get_by_role("listbox").get_by_role("option")

    @property
    def conversation(self) -> Conversation:
        """What is open."""
        return Conversation(self.page)

    def row(self, buyer: str) -> Locator:
        """Return the row of a buyer, whom staff see masked."""
        return self.rows.filter(has_text=mask_name(buyer))

    async def open(self, buyer: str) -> Conversation:
        """Click a buyer's row."""
        await self.row(buyer).click()
        await self.conversation.is_with(buyer)
        return self.conversation

    async def go_online(self) -> None:
        """Choose online in the menu of states."""
        await self.page.get_by_role("button", name=re.compile("离线|挂起|在线")).click()
        await self.page.get_by_role("menuitemradio", name=re.compile("在线")).click()
        await expect(self.page.get_by_role("button", name=re.compile("在线"))).to_be_visible()

    async def change_language(self) -> None:
        """Change to English."""
        await self.page.get_by_role("button", name=re.compile("我的")).click()
        await self.page.get_by_role("menuitem", name="English").click()

    async def is_cut_off(self) -> None:
        """Wait until the desk says that the connection is lost, and that nothing else is."""
        await expect(self.page.get_by_text("您写的会保留")).to_be_visible()

    async def is_connected(self) -> None:
        """Wait until the desk says that the connection is back."""
        await expect(self.page.get_by_text("已连接")).to_be_visible(timeout=RECONNECT_MS)

    async def sign_in_another(self, login: Login) -> "Desk":
        """Let somebody else use this tab, beside whom the browser knows already."""
        await self.page.get_by_role("button", name=re.compile("我的")).click()
        await self.page.get_by_role("menuitem", name="换个账号登录").click()
        return await sign_in(self.page, login)


async def sign_in(page: Page, login: Login) -> Desk:
    """Sign in on the page that asks for it, and wait for the desk."""
    await page.get_by_label("账号").fill(login.name)
    await page.get_by_label("密码", exact=True).fill(login.password)
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.get_by_role("listbox")).to_be_attached()
    return Desk(page)
