"""A colleague's buyer is offered before he has waited too long, and accepted, in Chromium."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from kit.text import mask_name
from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

OFFER_S = 5
"""The shortest wait after which a shop may ask a colleague."""

SHOTS = os.environ.get("PEAKDESK_SHOTS", "")
"""A folder for pictures to look at, where somebody wants some."""


async def test_n18_a_colleague_accepts_by_a_key_and_the_thread_is_there(
    windows: Windows, world: World, shop: Shop
) -> None:
    timing = {"handoff": {"offer_s": OFFER_S}}
    await shop.boss.call("PATCH", f"/v1/shops/{shop.id}/timing", timing)
    anne = await on_duty(await windows.open(), world, shop, "安妮")
    buyer, talk = await waiting(world, shop, "王小明", "在吗，能改地址吗")
    await expect(anne.row("王小明")).to_be_visible()
    window = await windows.open()
    await window.context.add_init_script(axe())
    ben = await on_duty(window, world, shop, "本")
    page = ben.page
    card = page.get_by_role("status", name="同事请您接手")

    await expect(card).to_contain_text(mask_name("王小明"))
    assert list(await barriers(page)) == []
    if SHOTS:
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=Path(SHOTS) / f"offer-{scheme}.png")
    await page.keyboard.press("Alt+a")

    await expect(card).to_be_hidden()
    assert page.url.endswith(f"/desk/{talk}")
    await ben.conversation.shows("在吗，能改地址吗")
    await ben.conversation.say("可以的，您把新地址发我")
    await ben.conversation.shows("可以的，您把新地址发我", "已送达")
    await buyer.sees("可以的，您把新地址发我")
    await expect(anne.row("王小明")).to_be_hidden()
    assert [one.complaints for one in windows.opened] == [[], []]
