"""Reports of days, played in Chromium: what they say, and their files."""

import asyncio
import csv
import io
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from contracts.people import Role
from tests.browser.board import sign_in
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.heavy]


async def saved(page: Page) -> list[dict[str, str]]:
    """Save the report that is shown; return its rows."""
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="导出 CSV").click()
    path = Path(await (await saving.value).path())
    text = await asyncio.to_thread(path.read_text, encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


async def inquired(page: Page, found: dict[str, list[str]]) -> list[dict[str, str]]:
    """Look at the report of who asked: nobody has received him yet. Return its file's rows."""
    status = page.get_by_role("main").get_by_role("status")
    await expect(status).to_contain_text("咨询 1 人，接待 0 人，未接待 1 人")
    await expect(page.get_by_role("row").filter(has_text="客服甲")).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    found["inquiries"] = list(await barriers(page))
    return await saved(page)


async def test_waiting_and_wording_are_told_and_saved(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open(accept_downloads=True)
    await window.context.add_init_script(axe())
    leader = await world.hire(shop, Role.SUPERVISOR, name="值班主管")
    agent = await world.agent(shop, name="客服甲")
    buyer = await world.buyer(shop, "王小明")
    talk = await world.talk(buyer, agent)
    await buyer.say(talk, "你是不是傻逼啊")
    board = await sign_in(await window.tab("/sign-in"), leader)
    page = board.page
    await expect(board.tile("拦截")).to_contain_text("买家 1")

    await page.get_by_role("link", name="报表").click()
    names = page.get_by_role("navigation", name="报表")
    await names.get_by_role("link", name="等待").click()
    status = page.get_by_role("main").get_by_role("status")
    await expect(status).to_contain_text("同时等待最多 1 位")
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)  # else all of it is faint
    waits = await saved(page)
    found = {"waits": list(await barriers(page))}
    await names.get_by_role("link", name="用语").click()
    await expect(status).to_contain_text("买家 1 条")
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    found["wording"] = list(await barriers(page))
    words = await saved(page)
    await page.emulate_media(color_scheme="light")
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await names.get_by_role("link", name="接待").click()
    inquiries = await inquired(page, found)
    await names.get_by_role("link", name="工时").click()
    await expect(status).to_contain_text("在岗合计")
    await expect(page.get_by_role("row").filter(has_text="客服甲")).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    found["hours"] = list(await barriers(page))
    hours = await saved(page)

    assert max(int(one["most"]) for one in waits) == 1
    assert max(int(one["flags_buyer"]) for one in words) == 1
    assert [(one["agent"], one["agents"]) for one in hours] == [("客服甲", "1")]
    assert [(one["agent"], one["consulted"], one["unreceived"]) for one in inquiries] == [
        ("客服甲", "1", "1")
    ]
    assert found == {"waits": [], "wording": [], "inquiries": [], "hours": []}
    assert [one for window in windows.opened for one in window.complaints] == []
