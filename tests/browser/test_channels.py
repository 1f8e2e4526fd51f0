"""Alert channels, played in Chromium: a robot is connected, tried, told, and breaks."""

import re

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.windows import Windows, axe, barriers
from tests.robots import DingTalk, listening
from tests.waiting import eventually
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]


async def test_a_robot_is_connected_tried_and_told_and_its_end_is_seen(
    windows: Windows, world: World, shop: Shop
) -> None:
    boss = await world.hire(shop, Role.ADMIN)
    window = await windows.open()
    await window.context.add_init_script(axe())
    page = await window.tab("/sign-in")
    await page.get_by_label("账号").fill(boss.name)
    await page.get_by_label("密码", exact=True).fill(boss.password)
    await page.get_by_role("button", name="登录", exact=True).click()
    async with listening(DingTalk("SEC-of-the-robot")) as robot:
        await page.get_by_role("link", name="设置").click()
        await page.get_by_role("link", name="告警通道").click()
        await page.get_by_role("button", name="添加通道").click()
        form = page.get_by_role("form", name="添加通道")
        await form.get_by_label("名称").fill("夜班值班群")
        await form.get_by_label("机器人的地址").fill("https://10.0.0.1/robot")
        await form.get_by_label("签名密钥").fill(robot.secret)
        await form.get_by_role("button", name="保存").click()
        await expect(form.get_by_text("不能填 IP 地址")).to_be_visible()
        await form.get_by_label("机器人的地址").fill(robot.url)
        assert list(await barriers(page)) == []
        await form.get_by_role("button", name="保存").click()
        row = page.get_by_role("row", name=re.compile("夜班值班群"))
        await expect(row).to_contain_text("使用中")

        log = page.get_by_role("region", name="发送记录")
        await log.get_by_role("button", name="发送测试").click()
        await expect(log.get_by_role("listitem").first).to_contain_text("已送达")
        assert "PeakDesk 通道测试" in robot.texts[0]
        assert list(await barriers(page)) == []

        robot.secret = "another"
        await log.get_by_role("button", name="发送测试").click()
        await expect(log.get_by_role("listitem").first).to_contain_text("签名、关键词或 IP 不符")
        await page.reload()
        await expect(row).to_contain_text("已失效 310000")

        open_one = page.get_by_role("form", name="夜班值班群")
        await open_one.get_by_label(re.compile("换一个签名密钥")).fill("another")
        await open_one.get_by_role("button", name="保存").click()
        await expect(row).to_contain_text("使用中")
        await log.get_by_role("button", name="发送测试").click()
        await eventually(lambda: len(robot.taken) == 2, what="the mended robot is told")
