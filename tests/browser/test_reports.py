"""The supervisor's report, played in Chromium: what it says, what it opens, and the file of it."""

import asyncio
import csv
import io
from pathlib import Path

import pytest
from playwright.async_api import expect

from contracts.people import Role
from tests.browser.board import Board, sign_in
from tests.browser.windows import Windows, axe, barriers
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.heavy]

ROUNDS = 3


async def served(windows: Windows, world: World, shop: Shop) -> Board:
    """Let an agent answer two buyers' three questions, and have all of it counted."""
    window = await windows.open(accept_downloads=True)
    await window.context.add_init_script(axe())
    leader = await world.hire(shop, Role.SUPERVISOR, name="值班主管")
    board = await sign_in(await window.tab("/sign-in"), leader)
    agent = await world.agent(shop, name="客服甲")
    for name, questions in (("王小明", ["在吗"]), ("李小红", ["有货吗", "能便宜点吗"])):
        buyer = await world.buyer(shop, name)
        talk = await world.talk(buyer, agent)
        for question in questions:
            await buyer.say(talk, question)
            await agent.say(talk, "亲，有的")
    # This profile counts at any hour of the day.
    await board.page.goto(f"{windows.url}/board?profile=qiyu")
    await expect(board.tile("平均响应")).to_contain_text(f"{ROUNDS} 轮")
    return board


async def test_a_report_opens_what_it_counts_and_is_saved_as_a_file(
    windows: Windows, world: World, shop: Shop
) -> None:
    board = await served(windows, world, shop)
    page = board.page
    await page.get_by_role("link", name="报表").click()
    await page.get_by_label("口径").select_option("qiyu")
    await expect(page.get_by_role("main").get_by_role("status")).to_contain_text(
        f"共 {ROUNDS} 轮对话"
    )
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)  # else all of it is faint
    spread = page.get_by_role("table", name="响应分布").get_by_role("row")
    await expect(spread.filter(has_text="首次响应").get_by_role("cell").last).to_have_text("2")
    await expect(spread.filter(has_text="每轮响应").get_by_role("cell").last).to_have_text("3")
    missed = page.get_by_role("table", name="漏接（共 2 次会话）").get_by_role("row")
    await expect(missed.filter(has_text="合计")).to_contain_text("0%")
    agents = page.get_by_role("table", name="各客服")
    row = agents.get_by_role("row").filter(has_text="客服甲")
    found = {"light": list(await barriers(page))}
    await page.emulate_media(color_scheme="dark")
    found["dark"] = list(await barriers(page))

    async with page.expect_download() as saving:
        await page.get_by_role("button", name="导出 CSV").click()
    saved = await saving.value
    text = await asyncio.to_thread(Path(await saved.path()).read_text, encoding="utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))

    await row.get_by_role("link", name=str(ROUNDS), exact=True).click()
    await expect(board.drawer.get_by_role("listitem")).to_have_count(ROUNDS)
    await expect(board.drawer).to_contain_text(f"共 {ROUNDS} 个")
    await page.go_back()
    await expect(row).to_be_visible()

    assert saved.suggested_filename.endswith(".csv")
    assert {line["agent"] for line in lines} == {"客服甲"}
    assert sum(int(line["rounds"]) for line in lines) == ROUNDS
    assert found == {"light": [], "dark": []}
    assert [one for window in windows.opened for one in window.complaints] == []


async def test_a_shift_counts_its_hours_by_profile_and_opens_what_it_counts(
    windows: Windows, world: World, shop: Shop
) -> None:
    board = await served(windows, world, shop)
    page = board.page
    await page.get_by_role("link", name="报表").click()
    await page.get_by_role("navigation", name="报表").get_by_role("link", name="班次").click()
    await page.get_by_label("口径").select_option("qiyu")
    # A shift that ends when it begins has all hours of its day.
    await page.get_by_label("班次从").fill("00:00")
    await page.get_by_label("到", exact=True).fill("00:00")
    status = page.get_by_role("main").get_by_role("status")
    await expect(status).to_contain_text(f"共 {ROUNDS} 轮对话")
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)  # else all of it is faint
    found = {"light": list(await barriers(page))}
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    found["dark"] = list(await barriers(page))
    await page.emulate_media(color_scheme="light")
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="导出 CSV").click()
    path = Path(await (await saving.value).path())
    text = await asyncio.to_thread(path.read_text, encoding="utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))

    shifts = page.get_by_role("table", name="各班")
    await shifts.get_by_role("link", name=str(ROUNDS), exact=True).click()
    await expect(board.drawer.get_by_role("listitem")).to_have_count(ROUNDS)
    await expect(board.drawer).to_contain_text(f"00:00 共 {ROUNDS} 个")
    await page.go_back()
    mine = page.get_by_role("table", name="各客服").get_by_role("row").filter(has_text="客服甲")
    await mine.get_by_role("link", name=str(ROUNDS), exact=True).click()
    await expect(board.drawer.get_by_role("listitem")).to_have_count(ROUNDS)
    await page.go_back()
    await expect(mine).to_be_visible()

    assert [line["agent"] for line in lines] == ["客服甲"]
    assert sum(int(line["rounds"]) for line in lines) == ROUNDS
    assert found == {"light": [], "dark": []}
    assert [one for window in windows.opened for one in window.complaints] == []
