"""What stands beside the chat, played in Chromium: the buyer, his orders and his refunds."""

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.screens import Desk, sign_in
from tests.browser.shifts import on_duty
from tests.browser.windows import Windows, axe, barriers
from tests.intake import a_paid_order
from tests.world import PHONE, Person, Shop, World, eventually

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

EXTERNAL = "tb-lin"


async def _known_buyer(world: World, shop: Shop, name: str, text: str) -> Person:
    """Let a buyer whom the shop vouches for come in and say something."""
    buyer = await world.known_buyer(shop, name, EXTERNAL)
    talk = await world.talk(buyer)
    await buyer.say(talk, text)
    return buyer


async def test_an_order_is_unlocked_beside_the_chat(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    buyer = await _known_buyer(world, shop, "林小雨", "地址没错，今天能发吗")
    order_id = await a_paid_order(world, shop, buyer=EXTERNAL)
    page = desk.page

    await desk.open("林小雨")
    beside = page.get_by_role("complementary", name="买家资料")
    order = beside.get_by_role("article").first
    await expect(order).to_contain_text("不能打印：地址未核对", timeout=40_000)
    await expect(order).to_contain_text("核对地址由您处理", timeout=40_000)
    await expect(order).to_contain_text("羽绒服")
    await expect(order).to_contain_text("138****8000")
    assert list(await barriers(page)) == []

    await order.get_by_role("button", name="核对地址").click()
    await order.get_by_role("form", name="核对地址").get_by_role("button", name="核对地址").click()

    await expect(order).to_contain_text("待打印")
    await expect(order).to_contain_text("地址已核对")
    await expect(order).not_to_contain_text("不能打印")
    await order.get_by_role("button", name="备注").click()
    await order.get_by_label("备注").last.fill("买家要今天发")
    await order.get_by_role("form").get_by_role("button", name="备注").click()
    await expect(order.get_by_role("list", name="订单备注")).to_contain_text("买家要今天发")
    shown = await buyer.call("GET", f"/v1/orders/{order_id}")
    assert (shown["state"], shown["address_result"]) == ("released", "verified")
    await expect(desk.conversation.composer).to_be_visible()
    assert window.complaints == []


async def test_a_refund_is_asked_for_decided_and_given_beside_the_chat(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open(viewport={"width": 1000, "height": 800})
    login = await world.hire(shop, Role.AFTERSALES, name="售后甲")
    desk = await sign_in(await window.tab("/sign-in"), login)
    await desk.go_online()
    buyer = await _known_buyer(world, shop, "林小雨", "不想要了")
    await a_paid_order(world, shop, buyer=EXTERNAL)

    await desk.open("林小雨")
    await desk.page.keyboard.press("Alt+i")
    beside = desk.page.get_by_role("complementary", name="买家资料")
    order = beside.get_by_role("article").first
    await order.get_by_role("button", name="申请退款").click()
    await order.get_by_label("金额").fill("100")
    await order.get_by_label("买家自己说的原因").fill("不想要了")
    await order.get_by_role("form").get_by_role("button", name="申请退款").click()
    await expect(order).to_contain_text("退款未了结")

    await beside.get_by_role("tab", name="售后").click()
    case = beside.get_by_role("article").first
    await case.get_by_role("button", name="同意退款").click()
    await case.get_by_label("说明").fill("未发货，同意")
    await case.get_by_role("form").get_by_role("button", name="同意退款").click()
    await expect(case).to_contain_text("待退款")
    await case.get_by_role("button", name="退款", exact=True).click()
    await case.get_by_role("form").get_by_role("button", name="退款", exact=True).click()

    await expect(case).to_contain_text("已退款")
    await desk.page.keyboard.press("Escape")
    await expect(beside).to_be_hidden()

    async def cases() -> list[tuple[str, int]]:
        found = (await buyer.call("GET", "/v1/cases"))["items"]
        return [(one["state"], one["amount_fen"]) for one in found]

    await eventually(cases, lambda found: found == [("refunded", 10_000)])
    assert window.complaints == []


async def test_work_is_listed_and_done_where_its_order_is(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    page = desk.page
    order_id = await a_paid_order(world, shop, buyer=EXTERNAL)

    await page.get_by_role("link", name="工作").click()
    work = page.get_by_role("list", name="工作").get_by_role("button")
    await expect(work).to_contain_text("核对收货地址", timeout=40_000)
    named = await shop.boss.call("GET", f"/v1/orders/{order_id}")
    await expect(work).to_contain_text(named["external_id"])
    await work.click()
    order = page.get_by_role("article").first
    await expect(order).to_contain_text("核对地址由您处理", timeout=40_000)
    assert list(await barriers(page)) == []
    await page.reload()
    await order.get_by_role("button", name="核对地址").click()
    await order.get_by_role("form").get_by_role("button", name="核对地址").click()

    await expect(order).to_contain_text("待打印")
    await expect(page.get_by_text("现在没有要您处理的工作")).to_be_visible(timeout=40_000)
    shown = await shop.boss.call("GET", f"/v1/orders/{order_id}")
    assert (shown["state"], shown["address_result"]) == ("released", "verified")
    assert window.complaints == []


async def test_masked_until_revealed_and_logged(windows: Windows, world: World, shop: Shop) -> None:
    window = await windows.open()
    desk = await on_duty(window, world, shop)
    buyer = await _known_buyer(world, shop, "林小雨", "在吗")
    await desk.open("林小雨")
    card = desk.page.get_by_role("region", name="买家", exact=True)
    await expect(card).to_contain_text("139****5678")
    assert "林小雨" not in await desk.page.inner_text("body")

    await card.get_by_role("button", name="查看").click()

    await expect(card).to_contain_text(PHONE)
    await expect(card).to_contain_text("林小雨")
    await card.get_by_role("button", name="隐藏").click()
    await expect(card).to_contain_text("139****5678")
    leader = await sign_in(
        await (await windows.open()).tab("/sign-in"), await world.hire(shop, Role.SENIOR)
    )
    await _asks_why(leader)
    looks = (await shop.boss.call("GET", "/v1/audit/conversation?action=buyer_revealed"))["items"]
    assert [(one["object_id"], one["note"]) for one in looks] == [
        (buyer.id, "refund: 买家来电退款"),
        (buyer.id, "phone"),
    ]
    assert window.complaints == []


async def _asks_why(leader: Desk) -> None:
    """See a colleague's buyer whole, which needs words."""
    await leader.page.get_by_role("link", name="同事").click()
    await leader.page.get_by_role("listitem").filter(has_text="在吗").click()
    card = leader.page.get_by_role("region", name="买家", exact=True)
    await card.get_by_role("button", name="查看").click()
    form = card.get_by_role("form")
    await form.get_by_label("要看什么").select_option("退款")
    await expect(form.get_by_role("button", name="查看完整信息")).to_be_disabled()
    await form.get_by_label("原因").fill("买家来电退款")
    await form.get_by_role("button", name="查看完整信息").click()
    await expect(card).to_contain_text(PHONE)
