"""A shift without a mouse, played in Chromium: every step by keys, and the focus is never lost."""

from typing import Any

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.hands import Hands
from tests.browser.screens import Desk
from tests.browser.shifts import waiting
from tests.browser.windows import Windows
from tests.intake import a_paid_order
from tests.waiting import eventually
from tests.world import Login, Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

EXTERNAL = "tb-lin"
SHIPPING = {"title": "发货时间", "words": "今天发出"}


async def test_a_shift_without_a_mouse(windows: Windows, world: World, shop: Shop) -> None:
    await shop.boss.call("POST", "/v1/phrases/sets", {"phrases": [SHIPPING]})
    window = await windows.open()
    login = await world.hire(shop, Role.AGENT, name="小陈")
    hands = Hands(await window.tab("/sign-in"))
    desk = await _begin(hands, login)
    order_id = await a_paid_order(world, shop, buyer=EXTERNAL)
    await _is_given_work(shop, order_id)
    first, first_talk = await waiting(world, shop, "周一鸣", "有人吗")
    second = await world.known_buyer(shop, "林小雨", EXTERNAL)
    second_talk = await world.talk(second)
    await second.say(second_talk, "什么时候发货")
    await expect(desk.rows).to_have_count(2)

    await _answer(hands, desk)
    await _answer_from_a_set(hands, desk)
    await _note_an_order(hands, desk)
    await _hand_on(hands, desk, world, shop)
    await _end(hands, desk)
    await _find(hands, desk)
    await _work(hands)
    await _leave(hands)

    assert first.texts(first_talk) == ["有人吗", "在的，请说", "祝您愉快"]
    assert second.texts(second_talk) == ["什么时候发货", "今天发出"]
    order = await shop.boss.call("GET", f"/v1/orders/{order_id}")
    assert (order["state"], order["address_result"]) == ("released", "verified")
    assert window.complaints == []


async def _begin(hands: Hands, login: Login) -> Desk:
    """Sign in and go online."""
    page = hands.page
    await hands.are_on(page.get_by_label("账号"))
    await hands.type(login.name)
    await hands.go_to(page.get_by_label("密码", exact=True))
    await hands.type(login.password)
    await hands.press("Enter")
    await hands.are_on(page.get_by_role("button", name="开始接待"))
    await hands.press("Enter")
    await expect(page.get_by_role("button", name="在线·接新客")).to_be_visible()
    for state in ("挂起", "在线·接新客"):
        await hands.press("Alt+s")
        await hands.choose(state)
        await hands.are_on(page.get_by_role("button", name=state))
    return Desk(page)


async def _is_given_work(shop: Shop, order_id: str) -> None:
    """Wait until the order's check of the address is somebody's: the one who is online."""

    async def is_somebodys() -> bool:
        path = f"/v1/work-items?state=open&order_id={order_id}"
        found: list[dict[str, Any]] = (await shop.boss.call("GET", path))["items"]
        return bool(found) and found[0]["agent_id"] is not None

    await eventually(is_somebodys, within=60, what="work that is somebody's")


async def _answer(hands: Hands, desk: Desk) -> None:
    """Answer who waits longest."""
    await hands.press("Alt+w")
    await desk.conversation.is_with("周一鸣")
    await hands.are_on(desk.conversation.composer)
    await hands.type("在的，请说")
    await hands.press("Enter")
    await desk.conversation.shows("在的，请说", "已送达")
    await hands.are_on(desk.conversation.composer)


async def _answer_from_a_set(hands: Hands, desk: Desk) -> None:
    """Answer the next one with a quick reply, and leave a note for colleagues."""
    page = hands.page
    await expect(page.get_by_role("group", name="已回复 1")).to_be_visible()
    await hands.press("Alt+w")
    await desk.conversation.is_with("林小雨")
    await hands.are_on(desk.conversation.composer)
    await hands.type("/")
    await hands.are_on(page.get_by_role("combobox"))
    await hands.type("fh")
    await expect(page.get_by_role("option", name="发货时间")).to_be_visible()
    await hands.press("Enter")
    await hands.are_on(desk.conversation.composer)
    await hands.press("Enter")
    await desk.conversation.shows("今天发出", "已送达")
    await hands.press("Alt+n")
    await hands.are_on(desk.conversation.note)
    await hands.type("她催过一次")
    await hands.press("Enter")
    await desk.conversation.shows("她催过一次")
    await hands.press("Alt+n")
    await hands.are_on(desk.conversation.composer)


async def _note_an_order(hands: Hands, desk: Desk) -> None:
    """Go to the buyer's order beside the chat and back: see where it goes to, and remark on it."""
    beside = hands.page.get_by_role("complementary", name="买家资料")
    order = beside.get_by_role("article").first
    await expect(order).to_contain_text("羽绒服")
    await hands.go_to(beside, "F6")
    await hands.use(order.get_by_role("button", name="查看"))
    await expect(order).to_contain_text("13800138000")
    await hands.use(order.get_by_role("button", name="隐藏"))
    await hands.are_on(order.get_by_role("button", name="查看"))
    await hands.use(order.get_by_role("button", name="备注"))
    form = order.get_by_role("form", name="备注")
    await hands.are_on(form.get_by_role("textbox"))
    await hands.press("Escape")
    await hands.are_on(order.get_by_role("button", name="备注"))
    await hands.press("Enter")
    await hands.type("买家要今天发")
    await hands.use(form.get_by_role("button", name="备注"))
    await expect(order.get_by_role("list", name="订单备注")).to_contain_text("买家要今天发")
    await hands.are_on(order.get_by_role("button", name="备注"))
    await hands.press("Escape")
    await hands.are_on(desk.conversation.composer)


async def _hand_on(hands: Hands, desk: Desk, world: World, shop: Shop) -> None:
    """Hand the buyer on to a colleague."""
    await world.agent(shop, name="客服乙")
    await hands.press("Alt+t")
    dialog = hands.page.get_by_role("dialog", name="转接")
    choice = dialog.get_by_label("转给")
    await hands.are_on(choice)
    named = choice.get_by_role("option").filter(has_text="客服乙").first
    wanted = await named.get_attribute("value")
    for _ in range(await choice.get_by_role("option").count()):
        if await choice.input_value() != wanted:
            await hands.press("ArrowDown")
    await hands.go_to(dialog.get_by_label("交接备注"))
    await hands.type("答应了今天发")
    await hands.press("Control+Enter")
    await expect(dialog).to_be_hidden()
    await hands.are_on(desk.conversation.composer)


async def _end(hands: Hands, desk: Desk) -> None:
    """Go to the one who is left by the list, say good-bye, and end it."""
    await hands.go_to(hands.page.get_by_role("listbox"), "Shift+F6")
    await expect(desk.rows).to_have_count(1)
    await hands.press("Home", "Enter")
    await desk.conversation.is_with("周一鸣")
    await hands.are_on(desk.conversation.composer)
    await hands.type("祝您愉快")
    await hands.press("Enter")
    await desk.conversation.shows("祝您愉快", "已送达")
    await hands.press("Alt+x")
    await expect(desk.rows).to_have_count(0)
    await hands.are_on(hands.page.get_by_role("region", name="对话"))


async def _find(hands: Hands, desk: Desk) -> None:
    """Find a buyer by his name, and read what was said to him."""
    page = hands.page
    await hands.press("Control+k")
    await hands.are_on(page.get_by_label("找买家、订单、聊天记录"))
    await hands.type("周")
    await hands.press("Enter")
    found = page.get_by_role("region", name="买家").get_by_role("listitem")
    await hands.use(found.get_by_role("link"))
    await desk.conversation.shows("祝您愉快")


async def _work(hands: Hands) -> None:
    """Do the work that one was given."""
    page = hands.page
    await hands.use(page.get_by_role("link", name="工作"), "Shift+Tab")
    await hands.use(page.get_by_role("list", name="工作").get_by_role("button"))
    order = page.get_by_role("article").first
    await hands.use(order.get_by_role("button", name="核对地址"))
    form = order.get_by_role("form", name="核对地址")
    await hands.are_on(form.get_by_role("combobox"))
    await hands.use(form.get_by_role("button", name="核对地址"))
    await expect(order).to_contain_text("地址已核对")
    await hands.press("Tab")
    await expect(page.get_by_text("现在没有要您处理的工作")).to_be_visible()


async def _leave(hands: Hands) -> None:
    """Sign out."""
    page = hands.page
    await hands.use(page.get_by_role("button", name="我的："), "Shift+Tab")
    await hands.choose("退出登录")
    await hands.are_on(page.get_by_label("账号"))
