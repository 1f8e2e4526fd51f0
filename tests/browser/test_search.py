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
    await expect(page.get_by_label("在聊天记录里找")).to_be_focused()
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
