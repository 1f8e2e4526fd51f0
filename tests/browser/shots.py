"""Pictures of the console for people to look at: `just console shots` writes docs/pictures.

Not part of any run: a picture differs from the last one by a pixel, and would dirty the checkout.
"""

import asyncio
import re
from typing import Final

import pytest
from playwright.async_api import Page, ViewportSize, expect

from contracts.people import Role
from launcher.instance.folders import CHECKOUT
from rehearsal import dialogues
from rehearsal.run import Plan
from tests.browser import board as boards
from tests.browser.screens import Desk, sign_in
from tests.browser.test_board import rehearsed
from tests.browser.windows import Windows
from tests.intake import a_paid_order
from tests.platform import Platform
from tests.world import Login, Person, Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(600)]

INTO: Final = CHECKOUT / "docs" / "pictures"
STEP_S: Final = 11
"""Between two buyers: the profile of this shop has levels of 10, 20 and 30 s."""
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
FRAME: Final[ViewportSize] = {"width": 376, "height": 640}
WALL: Final[ViewportSize] = {"width": 1920, "height": 1080}
REHEARSAL_S: Final = 100
FILLED_S: Final = 45
"""Of a rehearsal have passed when its board is kept: every figure has something to say."""
ORDER_S: Final = 40
SETTLED_S: Final = 3
EXTERNAL: Final = "tb-chenping"
ASKED: Final = "在吗，昨天拍的衬衫想换大一码"
ANSWERED: Final = "在的，可以换，您把现在的尺码告诉我"
LOOKS: Final = (("", "light", "zh-CN"), ("-dark", "dark", "zh-CN"), ("-en", "light", "en"))
WAITING: Final = (
    ("王小明", ("你们到底什么时候发货", "都三天了，再不发我退款了")),
    ("周文博", ("发票能开公司抬头吗",)),
    ("赵一凡", ("收到的颜色和图片不一样，可以换吗",)),
    ("孙悦", ("在吗",)),
)
TALK: Final = (
    ("buyer", "在吗"),
    ("buyer", "我昨天下的单，能改成公司地址吗？明天要用"),
    ("agent", "亲，在的。可以改，您把新地址发我，我马上帮您核对"),
    ("buyer", "杭州市西湖区文三路 100 号 3 楼，前台收"),
    ("agent", "收到，已经改到公司地址，今天 18:00 前发出"),
    ("agent", "发出后我把单号发您"),
    ("buyer", "好的，谢谢"),
    ("agent", "不客气，有问题随时找我"),
)


async def test_pictures(windows: Windows, world: World, shop: Shop, platform: Platform) -> None:
    """Write one picture after the other."""
    INTO.mkdir(parents=True, exist_ok=True)
    login = await _scene(world, shop)
    for suffix, theme, language in LOOKS:
        page = await _tab(windows, theme, language)
        await _keep(page, f"sign-in{suffix}")
        desk = await _signed_in(page, login, language)
        await desk.row("陈平").click()
        await expect(page.get_by_role("log")).to_contain_text("随时找我")
        await _beside(page)
        await _keep(page, f"desk{suffix}")
    await _moments(windows, login, platform)


async def test_pictures_of_supervision(windows: Windows, platform: Platform) -> None:
    """Write the board, the wall and the reports of a rehearsal."""
    plan = Plan(dialogues.load(None), rate=5, seconds=REHEARSAL_S)
    async with rehearsed(platform, plan) as (_, login, _progress):
        await asyncio.sleep(FILLED_S)
        for suffix, theme, language in LOOKS:
            page = await _tab(windows, theme, language)
            await _sign_in(page, login, language)
            await expect(page.locator(".tile").first).to_be_visible()
            await _settled(page)
            await _keep(page, f"board{suffix}")
            await page.goto(f"{windows.url}/reports/response")
            await expect(page.get_by_role("table").first).to_be_visible()
            await _keep(page, f"report-response{suffix}")
            await page.set_viewport_size(WALL)
            await page.goto(f"{windows.url}/board?kiosk=1")
            await _settled(page)
            await _keep(page, f"wall{suffix}")
        await _drilled(windows, login)


async def _drilled(windows: Windows, login: Login) -> None:
    page = await _tab(windows, "light", "zh-CN")
    board = await boards.sign_in(page, login)
    rows = await board.open("接待中")
    await expect(rows.first).to_be_visible()
    await _keep(page, "board-drill")
    await rows.first.get_by_role("button").first.click()
    await expect(board.drawer.get_by_role("log")).to_be_visible()
    await _settled(page)
    await _keep(page, "board-watch")
    for section in ("staff", "wording"):
        await page.goto(f"{windows.url}/settings/{section}")
        await _settled(page)
        await _keep(page, f"settings-{section}")


async def test_pictures_of_a_buyers_window(windows: Windows, world: World, shop: Shop) -> None:
    """Write the chat of a shop as its buyer sees it, and the page of a shop that carries it."""
    login = await world.hire(shop, Role.AGENT, name="陈晓雨")
    desk = await _signed_in(await _tab(windows, "light", "zh-CN"), login, "zh-CN")
    await desk.go_online()
    for suffix, theme, language in LOOKS:
        page = await _tab(windows, theme, language, f"/widget/{shop.id}")
        await page.set_viewport_size(FRAME)
        await page.get_by_role("textbox").fill(ASKED)
        await page.keyboard.press("Enter")
        await desk.rows.filter(has_text=ASKED).first.click()
        await desk.conversation.say(ANSWERED)
        await expect(page.get_by_role("log")).to_contain_text(ANSWERED)
        await _keep(page, f"widget{suffix}")
        await desk.page.keyboard.press("Alt+x")
    page = await _tab(windows, "light", "zh-CN", "/demo-shop")
    await _settled(page)
    await _keep(page, "demo-shop")


async def _moments(windows: Windows, login: Login, platform: Platform) -> None:
    page = await _tab(windows, "light", "zh-CN")
    desk = await _signed_in(page, login, "zh-CN")
    talk = await desk.open("陈平")
    await page.keyboard.press("Alt+t")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await _keep(page, "desk-transfer")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Alt+/")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await _keep(page, "desk-keys")
    await page.keyboard.press("Escape")
    await talk.say("我们仓库就这样，你是不是傻逼啊")
    await expect(page.get_by_role("alert")).to_be_visible()
    await _keep(page, "desk-gate-block")
    await talk.say("您加我微信聊吧，优惠更多")
    await expect(page.get_by_text("仍然发送")).to_be_visible()
    await _keep(page, "desk-gate-confirm")
    await talk.write("")
    await page.set_viewport_size(PHONE)
    await _keep(page, "desk-phone-thread")
    await page.get_by_role("button", name=re.compile("返回")).click()
    await _keep(page, "desk-phone")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await desk.open("陈平")
    platform.kill("gateway")
    await desk.is_cut_off()
    await talk.say("断线时写的，恢复后自动发出")
    await _keep(page, "desk-offline")
    platform.start("gateway")


async def _scene(world: World, shop: Shop) -> Login:
    policy = {"profiles": ["jd_2021"]}
    await shop.boss.call("PUT", f"/v1/shops/{shop.id}/wording-policy", policy)
    login = await world.hire(shop, Role.AGENT, name="陈晓雨")
    agent = world.person(await world.api.sign_in(login.name, login.password), shop.id)
    await agent.connect("inbox")
    await agent.call("PUT", "/v1/agents/me/state", {"state": "online"})
    buyer = await world.known_buyer(shop, "陈平", EXTERNAL)
    await a_paid_order(world, shop, buyer=EXTERNAL)
    talk = await world.talk(buyer, agent)
    people: dict[str, Person] = {"buyer": buyer, "agent": agent}
    for who, text in TALK:
        await people[who].say(talk, text)
    for name, texts in WAITING:
        waiting = await world.buyer(shop, name)
        opened = await world.talk(waiting, agent)
        for text in texts:
            await waiting.say(opened, text)
        if name != WAITING[-1][0]:
            await asyncio.sleep(STEP_S)
    # Last, so that every buyer is the first one's.
    await world.agent(shop, name="李思远")
    return login


async def _tab(windows: Windows, theme: str, language: str, path: str = "/sign-in") -> Page:
    window = await windows.open(color_scheme=theme, locale=language)
    liked = {"peakdesk.theme": theme, "peakdesk.language": language}
    lines = [f"localStorage.setItem({key!r}, {value!r});" for key, value in liked.items()]
    await window.context.add_init_script("".join(lines))
    page = await window.tab(path)
    await expect(page.get_by_role("button").last).to_be_visible()
    return page


async def _signed_in(page: Page, login: Login, language: str) -> Desk:
    if language == "zh-CN":
        return await sign_in(page, login)
    await _sign_in(page, login, language)
    await expect(page.get_by_role("listbox")).to_be_attached()
    return Desk(page)


async def _sign_in(page: Page, login: Login, language: str) -> None:
    name, password, button = (
        ("账号", "密码", "登录") if language == "zh-CN" else ("Login", "Password", "Sign in")
    )
    await page.get_by_label(name).fill(login.name)
    await page.get_by_label(password, exact=True).fill(login.password)
    await page.get_by_role("button", name=button, exact=True).click()


async def _beside(page: Page) -> None:
    """Wait until the order stands beside the chat."""
    beside = page.get_by_role("complementary").get_by_role("article").first
    await expect(beside).to_contain_text("¥", timeout=ORDER_S * 1000)


async def _settled(page: Page) -> None:
    """Let what was asked for arrive: a board asks for ever, so there is no idle to wait for."""
    await asyncio.sleep(SETTLED_S)
    await page.evaluate("document.fonts.ready")


async def _keep(page: Page, name: str) -> None:
    await page.screenshot(path=INTO / f"{name}.png", animations="disabled")
