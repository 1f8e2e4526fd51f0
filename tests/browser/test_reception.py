"""The report of reception, played in Chromium: each flag shows its words and leads to its talk."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.board import sign_in
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.heavy]

SHOTS = os.environ.get("PEAKDESK_SHOTS")
"""A folder for pictures of what is played; without it none are taken."""


async def test_a_shouting_answer_is_shown_with_its_words_and_taken_back(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    leader = await world.hire(shop, Role.SUPERVISOR, name="值班主管")
    agent = await world.agent(shop, name="客服甲")
    buyer = await world.buyer(shop, "王小明")
    talk = await world.talk(buyer, agent)
    await buyer.say(talk, "这件衣服到底什么时候发货")
    await agent.say(talk, "？？？")
    page = (await sign_in(await window.tab("/sign-in"), leader)).page

    await page.get_by_role("link", name="报表").click()
    await page.get_by_role("navigation", name="报表").get_by_role("link", name="接待质量").click()
    status = page.get_by_role("main").get_by_role("status").first
    await expect(status).to_contain_text("接待问题 1 处")
    await expect(page.get_by_role("row").filter(has_text="带火气的问号")).to_be_visible()
    flag = page.get_by_role("region", name="每一处").get_by_role("listitem").first
    await flag.get_by_role("button", name="看前后消息").click()
    await expect(flag).to_contain_text("这件衣服到底什么时候发货")
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    found = {"light": list(await barriers(page))}
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "reception-light.png")
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    found["dark"] = list(await barriers(page))
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / "reception-dark.png")
    await flag.get_by_role("button", name="不算").click()
    await expect(flag).to_contain_text("值班主管：不算")
    await page.reload()
    await expect(page.get_by_role("main").get_by_role("status").first).to_contain_text(
        "接待问题 0 处"
    )
    await page.get_by_role("link", name="打开会话").click()
    await expect(page.get_by_role("main")).to_contain_text("这件衣服到底什么时候发货")

    assert found == {"light": [], "dark": []}
    assert [one for window in windows.opened for one in window.complaints] == []
