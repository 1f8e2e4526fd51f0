"""A shop's chat, played from the buyer's side: a page of its own, a phone, another site."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from contracts.people import Role
from tests.browser.chats import Chat, in_frame, site
from tests.browser.screens import sign_in
from tests.browser.windows import NETWORK, RECONNECT_MS, Window, Windows, axe, barriers
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300)]

WIDTH, HEIGHT = 390, 844
PHONE: dict[str, Any] = {
    "viewport": {"width": WIDTH, "height": HEIGHT},
    "has_touch": True,
    "is_mobile": True,
}


async def test_a_buyer_is_served_from_hello_to_rating(
    windows: Windows, world: World, shop: Shop
) -> None:
    visitor = await windows.open()
    page = await visitor.tab(f"/widget/{shop.id}")
    chat = Chat(page)
    await chat.stands("您好，有什么可以帮您？")
    assert await visitor.context.cookies() == []
    await chat.composer.press_sequentially("还没写完")
    await eventually(visitor.context.cookies, what="a session from the first key on")
    await page.reload()
    await expect(chat.composer).to_have_value("还没写完")
    listed = await shop.boss.call("GET", "/v1/conversations")
    assert listed["items"] == [], "a buyer who has said nothing waits for nobody"

    await chat.composer.fill("")
    await chat.say("在吗")
    await chat.shows("在吗", "已送达")
    await chat.stands("马上就到您了")
    login = await world.hire(shop, Role.AGENT, name="小陈")
    window = await windows.open()
    desk = await sign_in(await window.tab("/sign-in"), login)
    await desk.go_online()
    await chat.stands("客服 小陈 · 在线")
    await desk.rows.first.click()
    await desk.conversation.say("在的，您说")
    await chat.shows("在的，您说")
    await chat.shows("在吗", "已读")
    await page.reload()
    await chat.shows("在的，您说")
    await chat.stands("客服 小陈 · 在线")

    await desk.page.keyboard.press("Alt+x")
    await chat.stands("这次服务怎么样？")
    await page.get_by_role("radio", name="5 星").check(force=True)
    await page.get_by_role("button", name="提交评价").click()
    await chat.stands("谢谢您的评价")

    [talk] = (await shop.boss.call("GET", "/v1/conversations"))["items"]
    assert (talk["state"], talk["score"]) == ("closed", 5)
    await chat.say("对了，还有一件事")
    await chat.shows("对了，还有一件事", "已送达")
    await chat.stands("客服 小陈 · 在线")
    assert visitor.complaints + window.complaints == []


@pytest.mark.heavy
async def test_a_foreign_page_carries_the_widget(
    windows: Windows, world: World, shop: Shop
) -> None:
    strict = (
        f"default-src 'none'; script-src {windows.url}; frame-src {windows.url};"
        " require-trusted-types-for 'script'"
    )
    agent = await world.agent(shop)
    visitor = await windows.open()
    async with site(windows.url, shop.id, policy=strict) as origin:
        await carried_by(visitor, shop, origin)
        page, errors = await opened(visitor, origin)
        opener = page.get_by_role("button", name="咨询客服")
        await expect(opener).to_have_attribute("aria-expanded", "false")

        await page.evaluate("PeakDesk.close()")
        await expect(page.locator("iframe")).to_have_count(0)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        chat = in_frame(page)
        await expect(chat.composer).to_be_focused()
        await chat.say("在吗")
        await chat.shows("在吗", "已送达")
        await chat.composer.press("Escape")
        await expect(opener).to_be_focused()
        came = await agent.event(lambda frame: frame.type == "conversation.assigned.v1")
        conversation = str(came.d["conversation_id"])
        await agent.client.subscribe(f"conv:{conversation}")
        await agent.say(conversation, "在的")
        await expect(page.get_by_role("button", name="咨询客服 (1 条未读)")).to_be_visible()
        await page.goto(f"{origin}/another-page")
        await expect(page.get_by_role("button", name="咨询客服 (1 条未读)")).to_be_visible()
        await expect(page.locator("iframe")).to_be_hidden()
        await page.get_by_role("button", name="咨询客服").click()
        await chat.shows("在的")
        await expect(chat.composer).to_be_focused()
        await page.goto(f"{origin}/third-page")
        await chat.shows("在的")
        assert await page.evaluate("document.activeElement.localName") == "body"
        await page.get_by_role("button", name="收起聊天").click()
        await expect(page.get_by_role("button", name="咨询客服", exact=True)).to_be_visible()
        assert errors == []

    async with site(windows.url, shop.id, policy=strict) as unnamed:
        page, errors = await opened(visitor, unnamed)
        await page.get_by_role("button", name="咨询客服").click()
        await eventually(lambda: any("frame-ancestors" in one for one in errors))
        await expect(in_frame(page).composer).to_have_count(0)


@pytest.mark.heavy
async def test_a_phone_is_enough(
    windows: Windows, world: World, shop: Shop, platform: Platform
) -> None:
    found: dict[str, list[str]] = {}
    for theme in ("light", "dark"):
        visitor = await windows.open(color_scheme=theme, **PHONE)
        await visitor.context.add_init_script(axe())
        page = await visitor.tab(f"/widget/{shop.id}")
        chat = Chat(page)
        await chat.stands("您好，有什么可以帮您？")
        found[f"greeting, {theme}"] = list(await barriers(page))
        await chat.say("在吗")
        await chat.shows("在吗", "已送达")
        found[f"queued, {theme}"] = list(await barriers(page))
        assert await page.evaluate("document.documentElement.scrollWidth") == WIDTH

    visitor = await windows.open(**PHONE)
    async with site(windows.url, shop.id, policy=f"frame-src {windows.url}") as origin:
        await carried_by(visitor, shop, origin)
        page, errors = await opened(visitor, origin)
        await page.get_by_role("button", name="咨询客服").tap()
        chat = in_frame(page)
        await chat.stands("您好，有什么可以帮您？")
        frame = await page.locator("iframe").bounding_box()
        assert frame == {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}
        await chat.say("在吗")
        await chat.shows("在吗", "已送达")

        platform.kill("gateway")
        await chat.stands("暂时连不上，您的消息会保留")
        words = [f"断线时写的第{number}句" for number in range(3)]
        for text in words:
            await chat.say(text)
        await chat.shows(words[-1], "待发送")
        await chat.composer.press_sequentially("还没写完的话")
        platform.start("gateway")
        await expect(chat.bubble(words[-1])).to_contain_text("已送达", timeout=RECONNECT_MS)

        await expect(chat.composer).to_have_value("还没写完的话")
        said = "".join(await chat.log.get_by_role("listitem").all_inner_texts())
        assert sorted(words, key=said.index) == words
        assert [said.count(text) for text in words] == [1, 1, 1]
        assert errors == []

    assert {screen: barrier for screen, barrier in found.items() if barrier} == {}
    assert [complaint for window in windows.opened for complaint in window.complaints] == []


@pytest.mark.heavy
async def test_the_demo_shop_with_its_chat_open_is_open_to_all(
    windows: Windows, world: World, shop: Shop
) -> None:
    found: dict[str, list[str]] = {}
    for theme in ("light", "dark"):
        visitor = await windows.open(color_scheme=theme)
        await visitor.context.add_init_script(axe())
        page = await demo_shop(visitor, shop)
        found[f"shop, {theme}"] = list(await barriers(page))
        await page.get_by_role("button", name="咨询客服").click()
        chat = in_frame(page)
        await chat.stands("您好，有什么可以帮您？")
        found[f"greeting, {theme}"] = list(await barriers(page))
        await chat.say("在吗")
        await chat.shows("在吗", "已送达")
        found[f"said, {theme}"] = list(await barriers(page))
        await chat.composer.press_sequentially("还没写完")

        await end_visit(page, shop)
        await chat.stands("这次聊天已断开")
        found[f"ended, {theme}"] = list(await barriers(page))
        await chat.page.get_by_role("button", name="重新开始").click()
        await expect(chat.page.get_by_role("button", name="重新开始")).to_have_count(0)
        await expect(chat.composer).to_have_value("还没写完")
        await chat.composer.press("Enter")
        await chat.shows("还没写完", "已送达")

    assert {screen: barrier for screen, barrier in found.items() if barrier} == {}
    assert [complaint for window in windows.opened for complaint in window.complaints] == []


async def demo_shop(visitor: Window, shop: Shop) -> Page:
    """Open the demo shop's page, with this journey's shop behind its chat."""

    async def with_own_shop(route: Route) -> None:
        answer = await route.fetch()
        text = re.sub(r'data-shop="[^"]+"', f'data-shop="{shop.id}"', await answer.text())
        await route.fulfill(response=answer, body=text)

    await visitor.context.route("**/demo-shop", with_own_shop)
    return await visitor.tab("/demo-shop")


async def end_visit(page: Page, shop: Shop) -> None:
    """End the session of the chat on this page, as another tab of its buyer's might."""
    ended = await page.evaluate(
        "path => fetch(path, {method: 'DELETE', headers: {'X-PeakDesk': '1'}}).then(r => r.status)",
        f"/v1/sessions/slots/w{shop.id}",
    )
    assert ended == 204


async def carried_by(visitor: Window, shop: Shop, origin: str) -> None:
    """Let a site carry the shop's chat, and wait until the gateway knows."""
    await shop.boss.call("PUT", f"/v1/shops/{shop.id}/widget", {"origins": [origin]})

    async def admitted() -> bool:
        answer = await visitor.context.request.get(f"{visitor.url}/widget/{shop.id}")
        return origin in answer.headers["content-security-policy"]

    await eventually(admitted)


async def opened(visitor: Window, origin: str) -> tuple[Page, list[str]]:
    """Open another site's page; also return what it writes to its console as an error."""
    page, errors = await visitor.context.new_page(), list[str]()
    page.on(
        "console",
        lambda said: (
            errors.append(said.text)
            if said.type == "error" and not NETWORK.search(said.text)
            else None
        ),
    )
    await page.goto(origin)
    return page, errors
