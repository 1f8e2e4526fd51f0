"""Words that the gate asks about, played in Chromium: a reason is given, and a leader reads it."""

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.board import sign_in as sign_in_to_board
from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World, archived

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

DOUBTFUL = "您加我微信聊吧"
REASON = "买家自己要求的"


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_confirm_asks_for_a_reason(
    windows: Windows, world: World, shop: Shop, theme: str
) -> None:
    window = await windows.open(color_scheme=theme, reduced_motion="reduce")
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    buyer, talk = await waiting(world, shop, "王小明", "怎么联系你们")
    conversation = await desk.open("王小明")

    await conversation.say(DOUBTFUL)
    anyway = desk.page.get_by_role("button", name="仍然发送")
    await expect(anyway).to_be_disabled()
    await expect(conversation.bubble(DOUBTFUL)).to_have_count(0)
    assert list(await barriers(desk.page)) == []

    await desk.page.get_by_label("为什么要这样发").fill(REASON)
    await anyway.click()

    await conversation.shows(DOUBTFUL, "已送达")
    await expect(conversation.composer).to_be_focused()
    said = await archived(buyer, talk, 2)
    assert (said[-1]["d"]["d"]["text"], said[-1]["d"]["confirmed"]) == (DOUBTFUL, True)
    assert REASON not in str(said)
    login = await world.hire(shop, Role.SUPERVISOR, name="林主管")
    leader = await windows.open(color_scheme=theme)
    board = await sign_in_to_board(await leader.tab("/sign-in"), login)
    held = board.violations.filter(has_text="要求确认")
    await expect(held).to_contain_text(f"仍然发送：{REASON}")
    assert [complaint for one in windows.opened for complaint in one.complaints] == []
