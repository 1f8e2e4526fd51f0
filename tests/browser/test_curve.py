"""How many wait through the day, played in Chromium: drawn, said, and listed by the hour."""

import re

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.board import sign_in
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.heavy]


async def test_the_curve_says_who_waits_and_its_table_says_it_too(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    leader = await world.hire(shop, Role.SUPERVISOR, name="值班主管")
    agent = await world.agent(shop, name="客服甲")
    talks = []
    for name in ("王小明", "李小红", "陈一平"):
        buyer = await world.buyer(shop, name)
        talk = await world.talk(buyer, agent)
        await buyer.say(talk, "在吗")
        talks.append(talk)
    await agent.say(talks[0], "亲，有的")
    board = await sign_in(await window.tab("/sign-in"), leader)
    page = board.page
    await expect(board.tile("等待中")).to_contain_text("2")
    await page.reload()

    curve = page.get_by_role("region", name="等待趋势")
    await expect(curve).to_contain_text("今天 2")
    await expect(curve).to_contain_text("昨天 0")
    await expect(curve.locator("canvas")).to_be_visible()
    await curve.get_by_role("button", name="按小时列出").click()
    rows = curve.get_by_role("table").get_by_role("row")
    most = [await row.locator("td").first.inner_text() for row in (await rows.all())[1:]]
    found = {"light": list(await barriers(page))}
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    found["dark"] = list(await barriers(page))
    await page.goto(f"{windows.url}/board?kiosk=1")
    await expect(curve.locator("canvas")).to_be_visible()
    await expect(curve).to_contain_text("今天 2")

    assert len(most) == 24
    assert max(int(one) for one in most if re.fullmatch(r"\d+", one)) >= 2
    assert found == {"light": [], "dark": []}
    assert [one for window in windows.opened for one in window.complaints] == []
