"""The supervisor's board, played in Chromium: beside a rehearsal, and beside a single buyer."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from playwright.async_api import expect
from typing_extensions import override

from contracts.base import rfc3339
from contracts.monitor import BoardPublished
from contracts.people import Role
from rehearsal import dialogues
from rehearsal.api import Api
from rehearsal.run import Plan, Progress, Rehearsal
from tests.browser.board import Board, Seen, sign_in
from tests.browser.windows import Windows, axe, barriers
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import Login, Person, Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.timeout(300)]

INSULT: Final = "你是不是傻逼啊"
AGREEMENTS: Final = 5
"""Moments of a rehearsal at which the screen was found to say what REST says."""


class Overheard(Api):
    """The rehearsal's way to the platform; it lets the login of its supervisor be known."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.supervisor: asyncio.Future[Login] = asyncio.get_running_loop().create_future()

    @override
    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
    ) -> Any:
        answer = await super().call(method, path, token=token, body=body, params=params)
        if path == "/v1/staff" and body is not None and body["role"] == Role.SUPERVISOR:
            self.supervisor.set_result(Login(body["login"], body["password"]))
        return answer


@asynccontextmanager
async def rehearsed(platform: Platform, plan: Plan) -> AsyncIterator[tuple[Api, Login, Progress]]:
    """Have a rehearsal under way, and the login of its supervisor."""
    progress = Progress()
    async with Overheard(platform.url) as api:
        admin = await api.sign_in(*platform.admin)
        playing = asyncio.ensure_future(Rehearsal(api, admin, plan, progress=progress).run())
        try:
            first: set[asyncio.Future[Any]] = {playing, api.supervisor}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            yield api, api.supervisor.result(), progress
            await playing
        finally:
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing


def told(answer: Mapping[str, Any], profile: str) -> Seen:
    """Return what a screen should show of a board as REST answers it."""
    board = BoardPublished.model_validate({"id": "rest", **answer}, strict=False)
    rounds = next(one.rounds for one in board.figures if one.profile == profile)
    counts = board.messages, board.open_conversations, board.waiting, board.held, rounds
    return Seen(rfc3339(board.as_of), *counts)


@pytest.mark.heavy
async def test_the_board_keeps_up_with_a_rehearsal(windows: Windows, platform: Platform) -> None:
    plan = Plan(dialogues.load(None), rate=4, seconds=25)
    async with rehearsed(platform, plan) as (api, login, progress):
        session = await api.sign_in(login.name, login.password)
        me = await api.call("GET", "/v1/me", token=session.token)
        window = await windows.open()
        board = await sign_in(await window.tab("/sign-in"), login)
        await expect(board.tile("接待中")).to_be_visible()
        answers: set[Seen] = set()
        agreed: set[str] = set()

        async def read() -> Seen:
            params = {"shop": me["shop_id"]}
            answer = await api.call("GET", "/v1/monitor/board", token=session.token, params=params)
            return told(answer, await board.profile())

        async def often_agrees() -> bool:
            answers.add(await read())
            shown = await board.seen()
            if shown in answers:
                agreed.add(shown.as_of)
            return len(agreed) >= AGREEMENTS

        await eventually(often_agrees, within=60, what="the screen says what REST says")
        await eventually(lambda: progress.done == progress.total > 0, within=120)

        async def agrees() -> bool:
            return await board.seen() == await read()

        await eventually(agrees, within=60, what="the screen ends with what REST says")
        last = await board.seen()
        assert last.messages + last.held >= progress.total
        assert window.complaints == []


async def looked_at(
    windows: Windows, world: World, shop: Shop, **options: Any
) -> tuple[Board, Person, Person, str]:
    """Return a board on a screen, an agent, and a buyer who waits for him in a conversation."""
    window = await windows.open(**options)
    await window.context.add_init_script(axe())
    board = await sign_in(
        await window.tab("/sign-in"), await world.hire(shop, Role.SUPERVISOR, name="值班主管")
    )
    agent = await world.agent(shop, name="客服甲")
    buyer = await world.buyer(shop, "王小明")
    talk = await world.talk(buyer, agent)
    await buyer.say(talk, "你们到底什么时候发货")
    return board, agent, buyer, talk


@pytest.mark.heavy
async def test_a_number_opens_its_conversations_and_nobody_sees_who_watches(
    windows: Windows, world: World, shop: Shop
) -> None:
    board, agent, buyer, talk = await looked_at(windows, world, shop)
    await expect(board.tile("等待中")).to_contain_text("1")
    await expect(board.agent("客服甲")).to_contain_text("在线")

    rows = await board.open("等待中")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("你们到底什么时候发货")
    await expect(rows).to_contain_text("客服甲")
    await rows.get_by_role("button").click()
    log = board.drawer.get_by_role("log")
    await expect(log).to_contain_text("你们到底什么时候发货")
    before = len(buyer.events), len(buyer.states)
    await agent.say(talk, "今天18:00前发出")
    await expect(log).to_contain_text("今天18:00前发出")
    await board.page.reload()
    await expect(log).to_contain_text("今天18:00前发出")
    await expect(board.tile("等待中")).to_contain_text("0")
    await board.drawer.get_by_role("button", name="返回列表").click()
    await expect(board.drawer).to_contain_text("没有买家在等")

    await buyer.sees("今天18:00前发出")
    new = [*buyer.events[before[0] :], *buyer.states[before[1] :]]
    senders = {frame.d.get("sender_id", agent.id) for frame in new if frame.t == "ev"}
    assert senders == {agent.id}
    assert [frame for frame in new if frame.t == "patch"] == []


@pytest.mark.heavy
async def test_a_figure_opens_the_rounds_that_it_counts_where_they_begin(
    windows: Windows, world: World, shop: Shop
) -> None:
    board, agent, _, talk = await looked_at(windows, world, shop)
    await agent.say(talk, "今天18:00前发出")
    other = await world.buyer(shop, "李小红")
    second = await world.talk(other, agent)
    for question, answer in (("有货吗", "有的"), ("能便宜点吗", "已经是活动价了")):
        await other.say(second, question)
        await agent.say(second, answer)
    # This profile counts at any hour of the day.
    await board.page.goto(f"{windows.url}/board?profile=qiyu")
    await expect(board.tile("平均响应")).to_contain_text("3 轮")
    await board.tile("平均响应").click()
    await board.drawer.get_by_role("button", name="计入平均响应的对话 3").click()

    rows = board.drawer.get_by_role("listitem")
    await expect(rows).to_have_count(3)
    await expect(board.drawer).to_contain_text("今天共 3 个")
    # The newest stands first: the second question of the second buyer.
    await rows.first.get_by_role("button").click()
    lines = board.drawer.get_by_role("log").get_by_role("listitem")
    begun = lines.filter(has_text="从这里开始计算")
    await expect(begun).to_have_count(1)
    await expect(begun).to_contain_text("能便宜点吗")
    await board.page.reload()
    await expect(begun).to_contain_text("能便宜点吗")

    await board.page.goto(f"{windows.url}/board?profile=qiyu&drill=rounds.unanswered")
    await expect(board.drawer).to_contain_text("今天没有这样的对话")
    await board.agent("客服甲").get_by_role("button", name="平均响应").click()
    await expect(rows).to_have_count(3)
    [window] = windows.opened
    assert window.complaints == []


@pytest.mark.heavy
async def test_what_the_gate_held_is_on_the_board(
    windows: Windows, world: World, shop: Shop
) -> None:
    board, agent, _, talk = await looked_at(windows, world, shop)
    await agent.say(talk, INSULT)

    held = board.violations.filter(has_text="已拦截")
    await expect(held).to_have_count(1)
    await expect(held).to_contain_text("客服甲")
    await expect(held).to_contain_text("买家没有看到")
    await expect(board.tile("拦截")).to_contain_text("1")
    await held.get_by_role("button", name="看前后").click()

    await expect(board.drawer.get_by_role("log")).to_contain_text("你们到底什么时候发货")
    await expect(board.drawer.get_by_role("log")).not_to_contain_text(INSULT)


@pytest.mark.heavy
async def test_a_quiet_board_says_that_nobody_counts_any_more_and_recovers_by_itself(
    windows: Windows, world: World, shop: Shop, platform: Platform
) -> None:
    board, agent, _, talk = await looked_at(windows, world, shop)
    await agent.say(talk, "今天18:00前发出")
    await expect(board.tile("接待中")).to_contain_text("今日消息 2")
    [window] = windows.opened
    wall = await window.tab("/board?kiosk=1")
    await expect(wall.get_by_role("region", name="当前数字")).to_be_visible()
    old = re.compile("数字自 .* 起没有更新")
    await expect(board.page.get_by_text(old)).to_have_count(0)

    platform.drain("monitor")
    try:
        for page in (board.page, wall):
            await expect(page.get_by_text(old)).to_be_visible(timeout=12_000)
            await expect(page.get_by_text(re.compile("连接中断"))).to_have_count(0)
        await expect(board.tile("接待中")).to_contain_text("今日消息 2")
    finally:
        platform.start("monitor")

    for page in (board.page, wall):
        await expect(page.get_by_text(old)).to_have_count(0, timeout=30_000)
    assert [one for one in window.complaints if "503" not in one] == []


@pytest.mark.heavy
async def test_a_quiet_board_is_current_again_after_one_of_two_monitors_was_killed_under_load(
    windows: Windows, world: World, shop: Shop, platform: Platform
) -> None:
    window = await windows.open()
    login = await world.hire(shop, Role.SUPERVISOR, name="值班主管")
    board = await sign_in(await window.tab("/sign-in"), login)
    await expect(board.tile("等待中")).to_contain_text("0")
    leader = await (await world.staff(shop, Role.SUPERVISOR)).connect(f"current:{shop.id}")

    def is_current(since: datetime) -> bool:
        marks = [frame.d["through"] for frame in leader.states if frame.s == f"current:{shop.id}"]
        return any(mark and datetime.fromisoformat(mark) > since for mark in marks)

    async def is_current_by_now() -> None:
        began = datetime.now(UTC)
        await eventually(lambda: is_current(began), within=60, what="the board is current")

    platform.start_second("monitor")
    try:
        async with rehearsed(platform, Plan(dialogues.load(None), rate=4, seconds=20)):
            await is_current_by_now()
            platform.kill("monitor")
            try:
                # Its share is free at once; its partitions are another's after Kafka missed it.
                await is_current_by_now()
                await expect(board.page.get_by_text(re.compile("数字自"))).to_have_count(
                    0, timeout=30_000
                )
            finally:
                platform.start("monitor")
    finally:
        platform.drain("monitor-2")
    await is_current_by_now()


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.heavy)])
async def test_the_board_keeps_nobody_out(
    windows: Windows, world: World, shop: Shop, theme: str
) -> None:
    board, agent, _, talk = await looked_at(windows, world, shop, color_scheme=theme)
    await agent.say(talk, INSULT)
    await expect(board.violations.filter(has_text="已拦截")).to_have_count(1)
    page, found = board.page, {"board": list(await barriers(board.page))}
    rows = await board.open("等待中")
    await expect(rows).to_have_count(1)
    found["drawer"] = list(await barriers(page))
    await rows.get_by_role("button").click()
    await expect(board.drawer.get_by_role("log")).to_contain_text("你们到底什么时候发货")
    found["watched"] = list(await barriers(page))
    await agent.say(talk, "今天就发")
    # This profile counts at any hour of the day.
    await page.goto(f"{windows.url}/board?profile=qiyu&drill=figures")
    await expect(board.drawer.get_by_role("table")).to_be_visible()
    found["figures"] = list(await barriers(page))
    await page.goto(f"{windows.url}/board?kiosk=1")
    await expect(page.get_by_role("list", name="客服")).to_be_visible()
    await expect(page.get_by_role("button")).to_have_count(0)
    found["wall"] = list(await barriers(page))

    assert {screen: barrier for screen, barrier in found.items() if barrier} == {}
    assert [complaint for window in windows.opened for complaint in window.complaints] == []
