"""Settings, played in Chromium: a team that its administrator makes, and what everybody may set."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from contracts.people import Role
from tests.browser.screens import sign_in
from tests.browser.windows import Windows, axe, barriers
from tests.world import Login, Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

TAKEN = Login("zhou.wenbo", "first pass phrase")
NEW = "another pass phrase"


async def test_an_administrator_makes_a_team_and_is_told_when_another_was_faster(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    page = await _signed_in(await window.tab("/sign-in"), await world.hire(shop, Role.ADMIN))
    await page.get_by_role("link", name="设置").click()
    name = f"{TAKEN.name}.{shop.id}"

    await page.get_by_role("button", name="添加员工").click()
    form = page.get_by_role("form", name="添加员工")
    await form.get_by_label("登录账号").fill(name)
    await form.get_by_label("姓名").fill("周文博")
    await form.get_by_label(re.compile("初始密码")).fill("short")
    await page.keyboard.press("Control+Enter")
    await expect(form.get_by_text("8–256 个字符")).to_be_visible()
    await form.get_by_label(re.compile("初始密码")).fill(TAKEN.password)
    await form.get_by_label("售前").check()
    assert list(await barriers(page)) == []
    await form.get_by_role("button", name="保存").click()
    await expect(_row(page, "周文博")).to_contain_text("售前")

    open_one = page.get_by_role("form", name="周文博")
    await open_one.get_by_label(re.compile("同时最多")).fill("5")
    (hired,) = [one for one in await _staff(shop) if one["name"] == "周文博"]
    await shop.boss.call("PATCH", f"/v1/staff/{hired['id']}", {"capacity": 12})
    await open_one.get_by_role("button", name="保存").click()
    await expect(open_one.get_by_role("row", name=re.compile("接待上限.*12.*5"))).to_be_visible()
    assert list(await barriers(page)) == []
    await page.get_by_role("link", name="我的账号").click()
    await page.get_by_role("dialog").get_by_role("button", name="留下").first.click()
    await open_one.get_by_role("button", name="用我写的覆盖").click()
    await expect(_row(page, "周文博").get_by_role("cell", name="5", exact=True)).to_be_visible()
    assert [one["capacity"] for one in await _staff(shop) if one["id"] == hired["id"]] == [5]

    other = await windows.open()
    desk = await sign_in(await other.tab("/sign-in"), Login(name, TAKEN.password))
    await desk.go_online()
    await open_one.get_by_role("button", name="离职").click()
    await page.get_by_role("dialog").get_by_role("button", name="离职").click()
    await expect(_row(page, "周文博")).to_contain_text("已离职")
    await expect(desk.page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    assert window.complaints == other.complaints == []


async def test_a_leader_says_where_the_chat_stands_and_what_nobody_may_write(
    windows: Windows, world: World, shop: Shop
) -> None:
    window = await windows.open()
    await window.context.add_init_script(axe())
    page = await _signed_in(await window.tab("/sign-in"), await world.hire(shop, Role.SUPERVISOR))
    await page.get_by_role("link", name="设置").click()
    await page.get_by_role("link", name="店铺与聊天窗").click()

    sites = page.get_by_label(re.compile("可以显示聊天窗的网站"))
    await sites.fill("https://shop.example\nshop.example/path")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_text("“shop.example/path”不是网站地址")).to_be_visible()
    await sites.fill("https://shop.example")
    await page.get_by_label("欢迎语").fill("您好，请说")
    assert list(await barriers(page)) == []
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("button", name="保存")).to_be_hidden()
    kept = await shop.boss.call("GET", f"/v1/shops/{shop.id}/widget")
    assert (kept["origins"], kept["greeting"]) == (["https://shop.example"], "您好，请说")

    await page.get_by_role("link", name="用语规则").click()
    await page.get_by_label(re.compile("本店禁用词")).fill("某竞品")
    await page.get_by_text("各类别的做法").click()
    await page.get_by_label("冷漠").select_option("block")
    assert list(await barriers(page)) == []
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("button", name="保存")).to_be_hidden()
    policy = (await shop.boss.call("GET", f"/v1/shops/{shop.id}"))["policy"]
    assert policy["wording_terms"] == ["某竞品"]
    assert policy["wording_actions"] == {"cold": "block"}

    await page.get_by_role("link", name="生效的口径").click()
    await expect(page.get_by_text("列表颜色按它")).to_be_visible()
    assert list(await barriers(page)) == []
    assert window.complaints == []


async def test_everybody_sees_where_he_is_signed_in_and_changes_his_password(
    windows: Windows, world: World, shop: Shop
) -> None:
    login = await world.hire(shop, Role.AGENT)
    elsewhere = await sign_in(await (await windows.open()).tab("/sign-in"), login)
    window = await windows.open()
    await window.context.add_init_script(axe())
    page = (await sign_in(await window.tab("/sign-in"), login)).page
    await page.get_by_role("link", name="设置").click()
    await page.get_by_role("link", name="我的账号").click()

    sessions = page.get_by_role("region", name="登录的地方").get_by_role("listitem")
    await expect(sessions).to_have_count(2)
    await page.get_by_label("主题").select_option("dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert list(await barriers(page)) == []
    await sessions.get_by_role("button").click()
    await expect(sessions).to_have_count(1)
    await expect(elsewhere.page.get_by_role("button", name="登录", exact=True)).to_be_visible()

    await page.get_by_label("现在的密码").fill(login.password)
    await page.get_by_label(re.compile("^新密码")).fill(NEW)
    await page.get_by_label("再写一遍新密码").fill(NEW)
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_text("密码已修改")).to_be_visible()
    assert (await world.api.sign_in(login.name, NEW)).token
    assert window.complaints == []


async def _signed_in(page: Page, login: Login) -> Page:
    """Sign in somebody whose day does not begin at the desk."""
    await page.get_by_label("账号").fill(login.name)
    await page.get_by_label("密码", exact=True).fill(login.password)
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.get_by_role("link", name="设置")).to_be_visible()
    return page


async def _staff(shop: Shop) -> list[dict[str, Any]]:
    return list((await shop.boss.call("GET", "/v1/staff"))["items"])


def _row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)
