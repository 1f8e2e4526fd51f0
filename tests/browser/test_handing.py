"""Conversations that change hands, played in Chromium: transferred, listed for others, routed."""

import asyncio

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.screens import sign_in
from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World, archived

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]


async def test_the_queue_is_listed_and_read_and_taken_from_nobody(
    windows: Windows, world: World, shop: Shop
) -> None:
    _, talk = await waiting(world, shop, "等人的", "有人吗")
    window = await windows.open()
    await window.context.add_init_script(axe())
    login = await world.hire(shop, Role.AGENT, name="小陈")
    desk = await sign_in(await window.tab("/sign-in"), login)
    page = desk.page

    await page.get_by_role("link", name="排队").click()
    row = page.get_by_role("listitem").filter(has_text="有人吗")
    await row.click()

    await expect(page.get_by_text("旁观中")).to_be_visible()
    await desk.conversation.shows("有人吗")
    await expect(desk.conversation.composer).to_have_count(0)
    assert page.url.endswith(f"/desk/{talk}?view=queue")
    assert list(await barriers(page)) == []
    await page.reload()
    await desk.conversation.shows("有人吗")

    await desk.go_online()

    await expect(page.get_by_text("现在没有买家在排队")).to_be_visible(timeout=15_000)
    await desk.conversation.say("在的")
    await desk.conversation.shows("在的", "已送达")
    assert window.complaints == []


async def test_a_transfer_carries_its_note(windows: Windows, world: World, shop: Shop) -> None:
    first = await on_duty(await windows.open(), world, shop, "客服甲")
    buyer, talk = await waiting(world, shop, "王小明", "能改地址吗")
    conversation = await first.open("王小明")
    second = await on_duty(await windows.open(), world, shop, "客服乙")

    await conversation.hand_on("客服乙", "改到公司地址，还没改单")

    await expect(first.rows).to_have_count(0)
    handed = await second.open("王小明")
    await handed.shows("改到公司地址，还没改单")
    await handed.say("已经帮您改好了")
    await handed.shows("已经帮您改好了", "已送达")
    await second.page.keyboard.press("Alt+x")
    await expect(second.rows).to_have_count(0)
    await buyer.sees("已经帮您改好了")
    assert buyer.texts(talk) == ["能改地址吗", "已经帮您改好了"]


async def test_a_transfer_loses_nothing_that_is_said_meanwhile(
    windows: Windows, world: World, shop: Shop
) -> None:
    first = await on_duty(await windows.open(), world, shop, "客服甲")
    buyer, talk = await waiting(world, shop, "王小明", "开始")
    conversation = await first.open("王小明")
    second = await on_duty(await windows.open(), world, shop, "客服乙")
    words = [f"一边转接一边说的第{number}句" for number in range(20)]

    async def go_on() -> None:
        for text in words:
            await buyer.say(talk, text)

    await asyncio.gather(go_on(), conversation.hand_on("客服乙", "买家还在说"))

    handed = await second.open("王小明")
    # A thread has the rows on screen; who answers goes to its end.
    await handed.shows(words[0])
    await handed.say("都看到了")
    await handed.shows(words[-1])
    await buyer.sees("都看到了")
    assert buyer.texts(talk) == ["开始", *words, "都看到了"]
    items = await archived(buyer, talk, len(words) + 2)
    assert [item["d"]["d"]["text"] for item in items] == buyer.texts(talk)
