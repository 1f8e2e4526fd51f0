"""Conversations that somebody takes himself: from the queue, from a colleague, in Chromium."""

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.board import sign_in as at_the_board
from tests.browser.screens import Conversation, sign_in
from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser]


@pytest.mark.heavy
async def test_an_agent_who_gets_nobody_new_takes_whom_he_chooses_from_the_queue(
    windows: Windows, world: World, shop: Shop
) -> None:
    buyer, talk = await waiting(world, shop, "等人的", "有人吗")
    window = await windows.open()
    await window.context.add_init_script(axe())
    login = await world.hire(shop, Role.AGENT, name="小陈")
    desk = await sign_in(await window.tab("/sign-in"), login)
    page = desk.page
    await page.get_by_role("link", name="排队").click()
    row = page.get_by_role("listitem").filter(has_text="有人吗")
    await expect(row).to_be_visible()
    assert list(await barriers(page)) == []

    await row.get_by_role("button", name="接待", exact=True).click()

    await expect(page.get_by_text("请先上线")).to_be_visible()
    elsewhere = await world.api.sign_in(login.name, login.password)
    state = {"state": "busy"}
    await world.api.call("PUT", "/v1/agents/me/state", token=elsewhere.token, body=state)
    await row.get_by_role("button", name="接待", exact=True).click()
    await desk.conversation.say("在的")
    await desk.conversation.shows("在的", "已送达")
    await buyer.sees("在的")
    assert page.url.endswith(f"/desk/{talk}")
    assert window.complaints == []


async def test_a_supervisor_watches_whispers_takes_over(
    windows: Windows, world: World, shop: Shop
) -> None:
    first = await on_duty(await windows.open(), world, shop, "客服甲")
    buyer, talk = await waiting(world, shop, "王小明", "我要投诉")
    served = await first.open("王小明")
    await served.write("您先别急，我正在")
    window = await windows.open()
    await window.context.add_init_script(axe())
    login = await world.hire(shop, Role.SUPERVISOR, name="主管")
    await at_the_board(await window.tab("/sign-in"), login)
    page = window.context.pages[0]
    await page.goto(f"{windows.url}/desk/{talk}?view=team")
    watched = Conversation(page)
    await watched.shows("我要投诉")
    await expect(page.get_by_text("双方看不到您")).to_be_visible()
    await expect(watched.composer).to_have_count(0)

    await _whispered(watched, served)
    await expect(served.composer).to_have_value("您先别急，我正在")

    await page.get_by_role("button", name="接管").click()
    dialog = page.get_by_role("dialog", name="接管")
    await expect(dialog.get_by_role("button", name="接管")).to_be_disabled()
    await dialog.get_by_label("接管备注").fill("我来跟这位买家谈")
    assert list(await barriers(page)) == []
    await page.keyboard.press("Control+Enter")

    await expect(dialog).to_be_hidden()
    await watched.say("您好，我是主管")
    await watched.shows("您好，我是主管", "已送达")
    await buyer.sees("您好，我是主管")
    await expect(first.page.get_by_text("主管接管了会话")).to_be_visible()
    await expect(served.composer).to_have_value("您先别急，我正在")
    await served.shows("我来跟这位买家谈")
    for kept in ("我来跟这位买家谈", "先安抚", "已经在查"):
        assert kept not in str([frame.d for frame in buyer.events])

    await page.get_by_role("button", name="交还").click()
    dialog = page.get_by_role("dialog", name="交还")
    await dialog.get_by_role("button", name="交还").click()

    await expect(dialog).to_be_hidden()
    again = await first.open("王小明")
    await expect(again.composer).to_have_value("您先别急，我正在")
    await again.say("主管说的都会办到")
    await buyer.sees("主管说的都会办到")
    assert buyer.texts(talk) == ["我要投诉", "您好，我是主管", "主管说的都会办到"]
    assert [one.complaints for one in windows.opened] == [[], []]


async def _whispered(watched: Conversation, served: Conversation) -> None:
    """Let a leader whisper to the agent, who answers by a note in the middle of a reply.

    The leader sees him look, and is not seen.
    """
    await expect(watched.page.get_by_text("客服甲 在看")).to_be_visible()
    await expect(served.page.get_by_text("在看")).to_have_count(0)
    await watched.note.fill("先安抚，物流我来查")
    assert list(await barriers(watched.page)) == []
    await watched.note.press("Enter")
    for screen in (watched, served):
        await screen.shows("先安抚，物流我来查", "悄悄话")
    await served.page.keyboard.press("Alt+n")
    await served.note.fill("好的，已经在查")
    await served.note.press("Enter")
    for screen in (watched, served):
        await screen.shows("好的，已经在查", "便签")
    await served.page.keyboard.press("Alt+n")
