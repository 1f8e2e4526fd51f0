"""An order's card in the chat, played in Chromium: sent beside the chat, pressed by its buyer."""

from typing import Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.chats import Chat
from tests.browser.shifts import on_duty
from tests.browser.windows import Windows, axe, barriers
from tests.intake import a_paid_order
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

EXTERNAL: Final = "tb-lin"
_ENTER: Final = """async ([shop, token]) => {
  const made = await fetch(`/v1/sessions/slots/w${shop}`, {
    method: 'POST',
    headers: {'content-type': 'application/json', 'x-peakdesk': '1'},
    body: JSON.stringify({token}),
  });
  localStorage.setItem(`peakdesk.visit.${shop}`, '1');
  return made.status;
}"""


async def _comes_known(page: Page, world: World, shop: Shop) -> Chat:
    """Open a shop's chat as somebody whom the shop vouches for."""
    voucher = await world.voucher(shop, "林小雨", EXTERNAL)
    assert await page.evaluate(_ENTER, [shop.id, voucher]) in {200, 201}
    await page.reload()
    return Chat(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_an_orders_card_is_sent_pressed_and_answered(
    windows: Windows, world: World, shop: Shop, theme: str
) -> None:
    window = await windows.open(color_scheme=theme, reduced_motion="reduce")
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    visitor = await windows.open(color_scheme=theme, reduced_motion="reduce")
    await visitor.context.add_init_script(axe())
    chat = await _comes_known(await visitor.tab(f"/widget/{shop.id}"), world, shop)
    order_id = await a_paid_order(world, shop, buyer=EXTERNAL)
    await chat.say("地址对吗")
    conversation = await desk.open("林小雨")
    order = desk.page.get_by_role("complementary", name="买家资料").get_by_role("article").first
    await expect(order).to_contain_text("不能打印：地址未核对")

    await order.get_by_role("button", name="发给买家").click()

    await conversation.shows("订单卡")
    await conversation.shows("等买家点")
    await chat.shows("羽绒服 ×1")
    assert "13800138000" not in await chat.log.inner_text()
    confirm = chat.log.get_by_role("button", name="地址没错")
    assert list(await barriers(visitor.context.pages[0])) == []
    assert list(await barriers(desk.page)) == []
    await confirm.dblclick()

    await chat.shows("地址没错", "已送达")
    await expect(confirm).to_have_count(0)
    await conversation.shows("买家已经点了")
    await conversation.shows("买家在卡上点了")
    await expect(order).to_contain_text("地址已核对")
    await expect(order).to_contain_text("待打印")
    said = await shop.boss.call("GET", f"/v1/orders/{order_id}")
    assert (said["state"], said["address_result"]) == ("released", "verified")
    await visitor.context.pages[0].reload()
    await chat.shows("地址没错")
    await expect(confirm).to_have_count(0)
    assert [complaint for one in windows.opened for complaint in one.complaints] == []
