"""What the console keeps, and what it lets go: the note of a transfer, and a session."""

import re

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.screens import sign_in
from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import RECONNECT_MS, Windows
from tests.platform import Platform
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.heavy]

NOTE = "要改成公司地址，还没改单"


async def test_a_note_outlives_its_dialog_a_reload_and_the_conversation(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    desk = await on_duty(window, world, shop)
    _, talk = await waiting(world, shop, "王小明", "能改地址吗")
    page = desk.page
    await desk.open("王小明")
    note = page.get_by_role("dialog").get_by_label("交接备注")

    await page.keyboard.press("Alt+t")
    await note.fill(NOTE)
    await page.keyboard.press("Escape")
    await expect(note).to_have_count(0)
    await page.reload()
    await desk.open("王小明")
    await page.keyboard.press("Alt+t")
    await expect(note).to_have_value(NOTE)

    colleague = await world.agent(shop)
    handed = {"to_agent": colleague.id, "note": "我来"}
    await shop.boss.call("POST", f"/v1/conversations/{talk}/transfer", handed)
    await expect(page.get_by_text(f"备注没有交出去，已保留：{NOTE}")).to_be_visible()
    await page.get_by_role("button", name="删除备注").click()
    await expect(desk.row("王小明")).to_have_count(0)
    assert window.complaints == []


async def test_nobody_is_signed_in_by_a_cookie_that_was_signed_out_of(
    windows: Windows, world: World, shop: Shop, platform: Platform
) -> None:
    window = await windows.open()
    desk = await on_duty(window, world, shop)
    page, told = desk.page, desk.page.get_by_text("已在这里退出")

    platform.kill("conversation")
    await page.get_by_role("button", name=re.compile("我的")).click()
    await page.get_by_role("menuitem", name="退出登录").click()
    await expect(told).to_be_visible()
    await page.goto(f"{windows.url}/desk")
    await expect(told).to_be_visible()
    platform.start("conversation")

    await expect(told).to_have_count(0, timeout=RECONNECT_MS)
    assert await window.context.cookies() == []
    await page.goto(f"{windows.url}/desk")
    await expect(page.get_by_label("账号")).to_be_visible()
    other = await sign_in(page, await world.hire(shop, Role.AGENT, name="小李"))
    await expect(other.page.get_by_role("button", name="我的：小李")).to_be_visible()
    assert window.complaints == []
