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
from tests.browser.screens import Desk, sign_in
from tests.browser.windows import Windows
from tests.platform import Platform
from tests.world import Login, Person, Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(600)]

INTO: Final = CHECKOUT / "docs" / "pictures"
STEP_S: Final = 11
"""Between two buyers: the profile of this shop has levels of 10, 20 and 30 s."""
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
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
        await _keep(page, f"desk{suffix}")
    await _moments(windows, login, platform)


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
    buyer = await world.buyer(shop, "陈平")
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


async def _tab(windows: Windows, theme: str, language: str) -> Page:
    window = await windows.open(color_scheme=theme, locale=language)
    liked = {"peakdesk.theme": theme, "peakdesk.language": language}
    lines = [f"localStorage.setItem({key!r}, {value!r});" for key, value in liked.items()]
    await window.context.add_init_script("".join(lines))
    page = await window.tab("/sign-in")
    await expect(page.get_by_role("button").last).to_be_visible()
    return page


async def _signed_in(page: Page, login: Login, language: str) -> Desk:
    if language == "zh-CN":
        return await sign_in(page, login)
    await page.get_by_label("Login").fill(login.name)
    await page.get_by_label("Password", exact=True).fill(login.password)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("listbox")).to_be_attached()
    return Desk(page)


async def _keep(page: Page, name: str) -> None:
    await page.screenshot(path=INTO / f"{name}.png", animations="disabled")
