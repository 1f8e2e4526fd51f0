"""Alerts on the board, played in Chromium: reported by an agent, taken care of by one leader."""

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.board import Board, sign_in
from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

INSULT = "你是不是傻逼啊"
BOAST = "全网最低价"


async def leading(windows: Windows, world: World, shop: Shop, name: str, *, theme: str) -> Board:
    """Let a leader sit down at the board."""
    window = await windows.open(color_scheme=theme, reduced_motion="reduce")
    await window.context.add_init_script(axe())
    login = await world.hire(shop, Role.SUPERVISOR, name=name)
    return await sign_in(await window.tab("/sign-in"), login)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_an_alert_is_taken_care_of_by_one_and_says_by_whom(
    windows: Windows, world: World, shop: Shop, theme: str
) -> None:
    first = await leading(windows, world, shop, "林主管", theme=theme)
    second = await leading(windows, world, shop, "周主管", theme=theme)
    desk = await on_duty(await windows.open(color_scheme=theme), world, shop, "客服甲")
    await waiting(world, shop, "王小明", "在吗")
    conversation = await desk.open("王小明")

    await conversation.say(INSULT)
    await desk.page.get_by_role("button", name="误判反馈").click()
    await expect(desk.page.get_by_text("已反馈给主管")).to_be_visible()

    held = [board.violations.filter(has_text="已拦截") for board in (first, second)]
    for one in held:
        await expect(one).to_contain_text("客服甲 认为误判")
    assert list(await barriers(first.page)) == []
    await held[0].get_by_role("button", name="已处理").click()
    for one in held:
        await expect(one).to_contain_text("林主管")
        await expect(one.get_by_role("button", name="已处理")).to_have_count(0)
    await second.page.reload()
    await expect(held[1]).to_contain_text("已处理")
    assert list(await barriers(second.page)) == []
    # A report that comes before the monitor knows of what is refused once, and comes again.
    complaints = [one for window in windows.opened for one in window.complaints]
    assert [one for one in complaints if "404" not in one] == []


async def test_an_agent_reports_a_flag_on_his_own_words(
    windows: Windows, world: World, shop: Shop
) -> None:
    board = await leading(windows, world, shop, "林主管", theme="light")
    desk = await on_duty(await windows.open(), world, shop, "客服甲")
    await waiting(world, shop, "王小明", "贵不贵")
    conversation = await desk.open("王小明")

    await conversation.say(BOAST)
    await conversation.shows(BOAST, "请注意措辞")
    await conversation.bubble(BOAST).get_by_role("button", name="误判反馈").click()
    await conversation.shows(BOAST, "已反馈给主管")

    flag = board.violations.filter(has_text="客服违规")
    await expect(flag).to_contain_text("客服甲 认为误判")
    await flag.get_by_role("button", name="误判").click()
    await expect(flag).to_contain_text("判为误判")
