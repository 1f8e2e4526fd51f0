"""The console's promises, played in Chromium: a buyer over the public API, staff at their screens.

Budget on two cores, the fetching of a browser aside: 2:30 for all journeys of the default run.
"""

import asyncio

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.screens import Desk, sign_in
from tests.browser.shifts import on_duty, waiting
from tests.browser.windows import Windows, axe, barriers
from tests.platform import Platform
from tests.world import Shop, World, archived

# The first one waits for a platform, which in a whole run starts beside two others.
pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300)]

INSULT = "你是不是傻逼啊"
ASKED_ABOUT = "您加我微信聊吧，优惠更多"


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

    await desk.page.get_by_role("link", name="工作").click()
    await expect(desk.page.get_by_role("link", name="等待 2")).to_be_visible()
    await desk.page.keyboard.press("Alt+w")
    await conversation.is_with("后来的")


async def test_nothing_breaks_the_csp(windows: Windows, world: World, shop: Shop) -> None:
    found: dict[str, list[str]] = {}
    for theme in ("light", "dark"):
        # Colours of what is still fading in are nobody's.
        window = await windows.open(color_scheme=theme, reduced_motion="reduce")
        await window.context.add_init_script(axe())
        page = await window.tab("/sign-in")
        await expect(page.get_by_label("账号")).to_be_visible()
        found[f"sign-in, {theme}"] = list(await barriers(page))
        login = await world.hire(shop, Role.AGENT, name="小陈")
        await page.get_by_label("账号").fill(login.name)
        await page.get_by_label("密码", exact=True).fill("mistyped")
        await page.get_by_role("button", name="登录", exact=True).click()
        await expect(page.get_by_role("alert")).to_have_text("账号或密码不对")
        found[f"mistyped, {theme}"] = list(await barriers(page))
        desk = await sign_in(page, login)
        found[f"empty desk, {theme}"] = list(await barriers(page))
        await desk.go_online()
        buyer = f"王小明{theme}"
        await waiting(world, shop, buyer, "在吗")
        conversation = await desk.open(buyer)
        await conversation.say(INSULT)
        await expect(page.get_by_text("买家没有看到")).to_be_visible()
        found[f"blocked, {theme}"] = list(await barriers(page))
        await page.keyboard.press("Alt+t")
        await expect(page.get_by_role("dialog", name="转接")).to_be_visible()
        found[f"transfer, {theme}"] = list(await barriers(page))
        await page.keyboard.press("Escape")
        await desk.change_language()
        await expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
        found[f"English, {theme}"] = list(await barriers(page))
        await windows.leave(window)

    assert {screen: barrier for screen, barrier in found.items() if barrier} == {}
    assert [complaint for window in windows.opened for complaint in window.complaints] == []


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


@pytest.mark.heavy
async def test_a_question_of_the_gate_is_answered_once(
    windows: Windows, world: World, shop: Shop
) -> None:
    desk = await on_duty(await windows.open(), world, shop)
    buyer, talk = await waiting(world, shop, "王小明", "有优惠吗")
    conversation = await desk.open("王小明")

    await conversation.say(ASKED_ABOUT)
    await expect(conversation.composer).to_have_value(ASKED_ABOUT)
    await expect(conversation.send_button).to_be_disabled()
    assert buyer.texts(talk) == ["有优惠吗"]
    await desk.page.get_by_label("为什么要这样发").fill("买家问的")
    await desk.page.get_by_role("button", name="仍然发送").dblclick()

    await conversation.shows(ASKED_ABOUT, "已送达")
    await conversation.shows(ASKED_ABOUT, "请注意措辞")
    await expect(conversation.composer).to_have_value("")
    await conversation.say("还有别的要问吗")
    await buyer.sees("还有别的要问吗")
    assert buyer.texts(talk) == ["有优惠吗", ASKED_ABOUT, "还有别的要问吗"]


@pytest.mark.heavy
async def test_a_double_click_does_once_what_it_says(
    windows: Windows, world: World, shop: Shop
) -> None:
    first = await on_duty(await windows.open(), world, shop, "客服甲")
    buyer, talk = await waiting(world, shop, "王小明", "在吗")
    conversation = await first.open("王小明")
    second = await on_duty(await windows.open(), world, shop, "客服乙")

    await conversation.write("在的，您说")
    await conversation.send_button.dblclick()
    await conversation.shows("在的，您说", "已送达")
    await conversation.hand_on("客服乙", "按了两次", press="dblclick")

    handed = await second.open("王小明")
    await handed.shows("按了两次")
    await handed.write("我来接着看")
    await handed.send_button.dblclick()
    await buyer.sees("我来接着看")
    assert buyer.texts(talk) == ["在吗", "在的，您说", "我来接着看"]
    items = await archived(buyer, talk, 3)
    assert [item["d"]["d"]["text"] for item in items] == buyer.texts(talk)


@pytest.mark.heavy
async def test_what_is_older_comes_without_moving_what_is_read(
    windows: Windows, world: World, shop: Shop
) -> None:
    desk = await on_duty(await windows.open(), world, shop)
    buyer, talk = await waiting(world, shop, "王小明", "第一句")
    for number in range(150):
        await buyer.say(talk, f"第{number}条消息")
    await archived(buyer, talk, 151)
    conversation = await desk.open("王小明")
    async with asyncio.timeout(60):
        await conversation.read_to("第149条消息")
    await expect(desk.row("王小明")).not_to_contain_text("99+")
    await desk.page.reload()
    await conversation.shows("第149条消息")

    moved = await conversation.scroll_to_the_first()

    await conversation.shows("第一句")
    assert max(map(abs, moved)) <= 1
    assert await conversation.nodes() <= 3_000


@pytest.mark.heavy
async def test_the_desk_without_a_platform_is_open_to_all(
    windows: Windows, world: World, shop: Shop, platform: Platform
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    await waiting(world, shop, "王小明", "在吗")
    conversation = await desk.open("王小明")

    platform.kill("gateway")
    await desk.is_cut_off()
    await conversation.say("断线时写的")
    await conversation.shows("断线时写的", "待发送")
    found = list(await barriers(desk.page))
    platform.start("gateway")
    await desk.is_connected()

    assert found == []


@pytest.mark.heavy
async def test_a_phone_is_enough(windows: Windows, world: World, shop: Shop) -> None:
    window = await windows.open(viewport={"width": 390, "height": 844})
    desk = await on_duty(window, world, shop)
    buyer, _ = await waiting(world, shop, "王小明", "在吗")
    conversation = await desk.open("王小明")
    await expect(desk.rows).not_to_be_visible()

    await conversation.say("在的，您说")
    await buyer.sees("在的，您说")
    await desk.page.get_by_role("button", name="返回").click()

    await expect(desk.row("王小明")).to_be_visible()
    await expect(conversation.log).to_have_count(0)


@pytest.mark.heavy
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
    # Whoever took over asks for the seat first; an Enter before that leaves the words there.
    await expect(conversation.send_button).to_be_enabled()
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
