"""Words in chats, played in Chromium: looked for by keys, and the chat that they stand in."""

import asyncio
from typing import Final

import pytest
from playwright.async_api import expect

from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import Windows, axe, barriers
from tests.waiting import eventually
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

WORDS: Final = "上次说的差价什么时候退"
RATE: Final = 0.8
"""Searches a second: below what a person may ask."""


async def test_a_word_finds_its_chat(windows: Windows, world: World, shop: Shop) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    buyer, talk = await waiting(world, shop, "王小明", WORDS)
    for number in range(40):
        await buyer.say(talk, f"再问一句{number}")
    page = desk.page

    async def is_indexed() -> bool:
        await asyncio.sleep(1 / RATE)  # nobody may ask more often
        found = await shop.boss.call("GET", "/v1/search/messages?q=差价")
        return len(found["items"]) == 1

    await eventually(is_indexed)
    await page.keyboard.press("Control+k")
    await expect(page.get_by_label("找买家、订单、聊天记录")).to_be_focused()
    await page.keyboard.type("差价")
    await page.keyboard.press("Enter")

    hit = page.get_by_role("listitem").filter(has_text=WORDS)
    await expect(hit).to_be_visible()
    assert list(await barriers(page)) == []
    await hit.get_by_role("button").press("Enter")

    found = page.get_by_role("log").get_by_role("listitem").filter(has_text=WORDS)
    await expect(found).to_be_in_viewport()
    assert list(await barriers(page)) == []
    await page.reload()
    await expect(found).to_be_in_viewport()

    await page.get_by_role("link", name="在接待里打开").click()
    await expect(desk.conversation.composer).to_be_visible()
    assert page.url.endswith(f"/desk/{talk}")
    assert window.complaints == []


async def test_a_buyer_is_found_by_the_beginning_of_his_name(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    await waiting(world, shop, "王小明", "在吗")
    await waiting(world, shop, "周文博", "发票能开吗")
    page = desk.page

    await page.keyboard.press("Control+k")
    await page.keyboard.type("王")
    await page.keyboard.press("Enter")

    buyers = page.get_by_role("region", name="买家").get_by_role("listitem")
    await expect(buyers).to_have_count(1)
    await expect(buyers).to_contain_text("王*明")
    await expect(page.get_by_role("region", name="订单")).to_contain_text("没有找到")
    assert list(await barriers(page)) == []
    await buyers.get_by_role("link").press("Enter")
    await desk.conversation.is_with("王小明")
    await desk.conversation.shows("在吗")
    assert window.complaints == []
