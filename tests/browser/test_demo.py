"""What a newcomer meets who does what `./peakdesk demo` printed: addresses, logins, people."""

import io
import re
from collections.abc import Iterator, Mapping

import pytest
from playwright.async_api import Page, expect
from rich.console import Console

from launcher import demo, player
from launcher.instance.processes import Processes
from launcher.screen import Screen
from tests.browser import board, screens
from tests.browser.windows import Windows
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import Login

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300)]

MINUTE_S = 60.0
PRINTED = re.compile(r"^  (Desk|Board) +(http\S+) +(\S+)  (\S+)$", re.MULTILINE)


@pytest.fixture
def printed(platform: Platform) -> Iterator[Mapping[str, tuple[str, Login]]]:
    """The screens' addresses and logins as the demo prints them, with a player at work."""
    processes = Processes(platform.known)
    said = io.StringIO()
    screen = Screen(Console(file=said, width=200))
    player.begin(platform.known, screen)
    try:
        demo.show_addresses(platform.known, screen)
        found = PRINTED.findall(said.getvalue())
        yield {name: (url, Login(login, password)) for name, url, login, password in found}
    finally:
        processes.stop(player.NAME)


@pytest.mark.heavy
async def test_the_demo_is_alive_when_opened(
    windows: Windows, printed: Mapping[str, tuple[str, Login]]
) -> None:
    at_desk, newcomer = printed["Desk"]
    desk = await screens.sign_in(await _opened(windows, at_desk), newcomer)
    await desk.go_online()

    await expect(desk.rows.first).to_be_visible(timeout=MINUTE_S * 1000)
    await desk.rows.first.click()
    entries = desk.conversation.log.get_by_role("listitem")
    await expect(entries.first).to_be_visible()
    bought = desk.page.get_by_role("complementary", name="买家资料").get_by_role("article")
    await expect(bought.first).to_contain_text("SIM", timeout=MINUTE_S * 1000)
    answer = "在的，您请说"
    await desk.conversation.say(answer)
    await expect(desk.conversation.bubble(answer)).to_be_visible()
    said = await entries.count()

    at_board, leader = printed["Board"]
    shown = await board.sign_in(await _opened(windows, at_board), leader)
    await expect(shown.tile("接待中")).to_be_visible()
    before = await shown.seen()

    async def moved() -> bool:
        return (await shown.seen()).messages > before.messages

    await eventually(moved, within=MINUTE_S, what="the board moves")

    async def answered() -> bool:
        return await entries.count() > said

    await eventually(answered, within=MINUTE_S, what="the buyer answers")
    assert [one for window in windows.opened for one in window.complaints] == []


async def _opened(windows: Windows, url: str) -> Page:
    window = await windows.open()
    return await window.tab(_path(windows, url))


def _path(windows: Windows, url: str) -> str:
    """Return the path of a printed address, which is the platform's."""
    assert url.startswith(f"{windows.url}/"), url
    return url.removeprefix(windows.url)
