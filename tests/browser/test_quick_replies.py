"""Words that are said again and again, played in Chromium: written once, then taken by keys."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

SHIPPING = {"title": "发货时间", "words": "订单 {订单号} 今天发出"}


async def test_a_quick_reply_is_found_by_initials_and_sent_without_a_mouse(
    windows: Windows, world: World, shop: Shop
) -> None:
    await shop.boss.call("POST", "/v1/phrases/sets", {"phrases": [SHIPPING]})
    window = await windows.open()
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    buyer, talk = await waiting(world, shop, "王小明", "什么时候发货")
    conversation, page = await desk.open("王小明"), desk.page
    keyboard = page.keyboard

    await conversation.composer.focus()
    await keyboard.type("/")
    await expect(page.get_by_role("combobox")).to_be_focused()
    await expect(page.get_by_role("option", name="发货时间")).to_be_visible()
    assert list(await barriers(page)) == []
    await keyboard.type("fh")
    await keyboard.press("Enter")
    await expect(conversation.composer).to_have_value("订单 {订单号} 今天发出")
    await keyboard.press("Enter")
    await expect(page.get_by_text("还有 {订单号} 没有填")).to_be_visible()
    await keyboard.type("T0042")
    await keyboard.press("Enter")

    await buyer.sees("订单 T0042 今天发出")
    await conversation.shows("订单 T0042 今天发出", "已送达")
    assert buyer.texts(talk) == ["什么时候发货", "订单 T0042 今天发出"]
    assert window.complaints == []


async def test_ones_own_are_written_on_their_page_and_there_at_the_next_buyer(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    await waiting(world, shop, "王小明", "在吗")
    page = desk.page

    await page.get_by_role("link", name="设置").click()
    await page.get_by_role("button", name="添加").click()
    await page.get_by_label("标题").fill("我的开场")
    await page.get_by_label("内容").fill("您好，我是小陈")
    assert list(await barriers(page)) == []
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("listitem").filter(has_text="我的开场")).to_be_visible()
    await page.get_by_role("tab", name=re.compile("店铺的")).click()
    await expect(page.get_by_text("由主管维护")).to_be_visible()
    assert list(await barriers(page)) == []
    await page.reload()
    await expect(page.get_by_role("listitem").filter(has_text="我的开场")).to_be_visible()

    await page.get_by_role("link", name="接待").click()
    conversation = await desk.open("王小明")
    await conversation.composer.focus()
    await page.keyboard.press("Alt+q")
    await page.keyboard.type("wdkc")
    await expect(page.get_by_role("option", name="我的开场")).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")

    await conversation.shows("您好，我是小陈", "已送达")
    assert window.complaints == []
