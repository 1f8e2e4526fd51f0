"""The console's promises, played in Chromium: a buyer over the public API, staff at their screens.

Budget on two cores, the fetching of a browser aside: 2:30 for all journeys of the default run.
"""

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.screens import Desk, sign_in
from tests.browser.windows import Window, Windows, axe, barriers
from tests.platform import Platform
from tests.world import Person, Shop, World, archived

# The first one waits for a platform, which in a whole run starts beside two others.
pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300)]

INSULT = "你是不是傻逼啊"


async def on_duty(window: Window, world: World, shop: Shop, name: str = "小陈") -> Desk:
    """Let a new agent sign in and go online."""
    login = await world.hire(shop, Role.AGENT, name=name)
    desk = await sign_in(await window.tab("/sign-in"), login)
    await desk.go_online()
    return desk


async def waiting(world: World, shop: Shop, name: str, text: str) -> tuple[Person, str]:
    """Let a buyer come in and say something; return him and his conversation."""
    buyer = await world.buyer(shop, name)
    talk = await world.talk(buyer)
    await buyer.say(talk, text)
    return buyer, talk


async def test_an_insult_never_reaches_the_buyer(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    desk = await on_duty(window, world, shop)
    buyer, talk = await waiting(world, shop, "王小明", "你们到底什么时候发货")
    conversation = await desk.open("王小明")

    await conversation.say(INSULT)

    await expect(desk.page.get_by_text("买家没有看到")).to_be_visible()
    await expect(conversation.composer).to_have_value(INSULT)
    await expect(conversation.send_button).to_be_disabled()
    await expect(conversation.bubble(INSULT)).to_have_count(0)

    await conversation.say("今天18:00前发出")

    await buyer.sees("今天18:00前发出")
    assert buyer.texts(talk) == ["你们到底什么时候发货", "今天18:00前发出"]
    assert window.complaints == []


async def test_a_killed_gateway_loses_nothing_typed_or_sent(
    windows: Windows, world: World, shop: Shop, platform: Platform
) -> None:
    desk = await on_duty(await windows.open(), world, shop)
    buyer, talk = await waiting(world, shop, "王小明", "在吗")
    conversation = await desk.open("王小明")
    await conversation.say("在的，您说")
    await conversation.shows("在的，您说", "已送达")

    platform.kill("gateway")
    await desk.is_cut_off()
    words = [f"断线时写的第{number}句" for number in range(3)]
    for text in words:
        await conversation.say(text)
        await conversation.shows(text)
    await conversation.write("还没写完的话")
    platform.start("gateway")
    await desk.is_connected()

    for text in words:
        await conversation.shows(text, "已送达")
    await expect(conversation.composer).to_have_value("还没写完的话")
    await buyer.sees(words[-1])
    assert buyer.texts(talk) == ["在吗", "在的，您说", *words]
    assert [item["d"]["d"]["text"] for item in await archived(buyer, talk, 5)] == buyer.texts(talk)


async def test_a_draft_survives_reload_and_never_changes_buyer(
    windows: Windows, world: World, shop: Shop
) -> None:
    desk = await on_duty(await windows.open(), world, shop)
    first, to_first = await waiting(world, shop, "王小明", "在吗")
    second, to_second = await waiting(world, shop, "李小花", "有货吗")

    conversation = await desk.open("王小明")
    await conversation.write("给小明的话")
    await desk.open("李小花")
    await expect(conversation.composer).to_have_value("")
    await conversation.write("给小花的话")
    await expect(desk.row("王小明")).to_contain_text("[草稿]")
    await desk.page.reload()

    await conversation.is_with("李小花")
    await expect(conversation.composer).to_have_value("给小花的话")
    await desk.open("王小明")
    await expect(conversation.composer).to_have_value("给小明的话")
    await conversation.composer.press("Enter")
    await first.sees("给小明的话")
    assert first.texts(to_first) == ["在吗", "给小明的话"]
    assert second.texts(to_second) == ["有货吗"]


async def test_the_longest_waiting_buyer_is_one_key_away(
    windows: Windows, world: World, shop: Shop
) -> None:
    desk = await on_duty(await windows.open(), world, shop)
    for name in ("等最久的", "后来的", "最后来的"):
        await waiting(world, shop, name, "在吗")
        await expect(desk.row(name)).to_be_visible()
    conversation = await desk.open("最后来的")

    await desk.page.keyboard.press("Alt+w")
    await conversation.is_with("等最久的")
    await expect(conversation.composer).to_be_focused()
    await desk.page.keyboard.type("在的")
    await desk.page.keyboard.press("Enter")
    await conversation.shows("在的", "已送达")
    await desk.page.keyboard.press("Alt+w")

    await conversation.is_with("后来的")


async def test_nothing_breaks_the_csp(windows: Windows, world: World, shop: Shop) -> None:
    found: dict[str, list[str]] = {}
    for theme in ("light", "dark"):
        window = await windows.open(color_scheme=theme)
        await window.context.add_init_script(axe())
        page = await window.tab("/sign-in")
        await expect(page.get_by_label("账号")).to_be_visible()
        found[f"sign-in, {theme}"] = list(await barriers(page))
        login = await world.hire(shop, Role.AGENT, name="小陈")
        desk = await sign_in(page, login)
        found[f"empty desk, {theme}"] = list(await barriers(page))
        await desk.go_online()
        buyer = f"王小明{theme}"
        await waiting(world, shop, buyer, "在吗")
        conversation = await desk.open(buyer)
        await conversation.say(INSULT)
        await expect(page.get_by_text("买家没有看到")).to_be_visible()
        found[f"blocked, {theme}"] = list(await barriers(page))
        await windows.leave(window)

    assert {screen: barrier for screen, barrier in found.items() if barrier} == {}
    assert [complaint for window in windows.opened for complaint in window.complaints] == []


@pytest.mark.heavy
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


@pytest.mark.heavy
async def test_two_tabs_share_one_outbox(
    windows: Windows, world: World, shop: Shop, platform: Platform
) -> None:
    window = await windows.open()
    desk = await on_duty(window, world, shop)
    buyer, talk = await waiting(world, shop, "王小明", "在吗")
    one = await desk.open("王小明")
    two = Desk(await window.tab("/desk")).conversation
    await Desk(two.page).open("王小明")

    platform.kill("gateway")
    await desk.is_cut_off()
    await one.say("第一个窗口写的")
    await two.shows("第一个窗口写的", "待发送")
    await two.say("第二个窗口写的")
    await one.shows("第二个窗口写的", "待发送")
    platform.start("gateway")
    await desk.is_connected()

    for conversation in (one, two):
        await conversation.shows("第一个窗口写的", "已送达")
        await conversation.shows("第二个窗口写的", "已送达")
    await buyer.sees("第二个窗口写的")
    assert buyer.texts(talk) == ["在吗", "第一个窗口写的", "第二个窗口写的"]


@pytest.mark.heavy
async def test_two_people_share_one_browser(windows: Windows, world: World, shop: Shop) -> None:
    window = await windows.open()
    first = await on_duty(window, world, shop, "客服甲")
    buyer, talk = await waiting(world, shop, "王小明", "在吗")
    await first.open("王小明")
    tab = Desk(await window.tab("/desk"))
    second = await tab.sign_in_another(await world.hire(shop, Role.AGENT, name="客服乙"))

    for desk in (first, second):
        await desk.page.reload()

    await first.conversation.is_with("王小明")
    await expect(second.rows).to_have_count(0)
    await first.conversation.say("还是我")
    await first.conversation.shows("还是我", "已送达")
    await buyer.sees("还是我")
    assert buyer.texts(talk) == ["在吗", "还是我"]


async def test_tabs_without_a_shared_worker_follow_one_and_take_over(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script("delete globalThis.SharedWorker")
    first = await on_duty(window, world, shop)
    buyer, talk = await waiting(world, shop, "王小明", "在吗")
    second = Desk(await window.tab("/desk"))
    conversation = await second.open("王小明")

    await conversation.say("跟随的窗口写的")
    await (await first.open("王小明")).shows("跟随的窗口写的", "已送达")
    await conversation.write("还没写完的话")
    await first.page.close()

    await second.is_connected()
    await expect(conversation.composer).to_have_value("还没写完的话")
    await conversation.composer.press("Enter")
    await conversation.shows("还没写完的话", "已送达")
    await hang_the_worker(second)
    await conversation.say("卡住时写的")
    await conversation.shows("卡住时写的", "已送达")
    await buyer.sees("卡住时写的")
    assert buyer.texts(talk) == ["在吗", "跟随的窗口写的", "还没写完的话", "卡住时写的"]
    assert window.complaints == []


async def hang_the_worker(desk: Desk) -> None:
    """Let the worker of this tab run in a circle, so that it answers nobody any more."""
    (worker,) = desk.page.workers
    await worker.evaluate("() => void setTimeout(() => { for (;;); })")
