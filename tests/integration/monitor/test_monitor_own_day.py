"""An agent's own averages of today: his alone, and what the board says of him."""

from datetime import timedelta

import pytest

from contracts.people import PersonId, Role
from kit.clock import ManualClock
from services.monitor.boards.service import Boards
from services.monitor.directory.rules import Rules
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import Monitor, Rig

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_an_agent_is_told_his_own_sums_of_today_as_the_board_shows_them(rig: Rig) -> None:
    shop = rig.shop()
    async with rig.monitor():
        await shop.listed()
        for agent, waits_s in (("anne", (10, 40)), ("bob", (100,))):
            for wait_s in waits_s:
                chat = await shop.chat(agent).opened()
                await chat.buyer(0)
                await chat.agent(wait_s)
        await rig.folded()
    rules = Rules.from_settings(rig.settings, rig.settings.open_lexicon())
    clock = ManualClock(NOON + timedelta(hours=1))
    boards = Boards(rig.database, rules, clock=clock, ids=rig.ids)

    anne, bob, nobody = [
        await boards.own_day(shop.id, PersonId(f"{shop.id}-{name}"))
        for name in ("anne", "bob", "nobody")
    ]
    tiles = {tile.agent_id: tile for tile in (await boards.read(shop.id)).agents}
    await clock.walk(24 * 3600)
    tomorrow = await boards.own_day(shop.id, anne.agent_id)

    assert {one.agent_id: tuple(one.figures) for one in (anne, bob)} == {
        agent: tile.figures for agent, tile in tiles.items()
    }
    taobao = next(one for one in anne.figures if one.profile == anne.profile)
    assert (taobao.rounds, taobao.round_ms) == (2, 50_000)
    assert (taobao.first_responses, taobao.first_response_ms) == (2, 50_000)
    assert (taobao.sessions, taobao.first_within) == (2, 1)
    assert [one.rounds for one in nobody.figures] == [0] * len(anne.figures)
    assert (tomorrow.day - anne.day, [one.rounds for one in tomorrow.figures]) == (
        timedelta(days=1),
        [0] * len(anne.figures),
    )


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.AGENT, 200),
        (Role.SENIOR, 200),
        (Role.SUPERVISOR, 200),
        (Role.CLERK, 403),
        (Role.ADMIN, 403),
        (Role.BUYER, 403),
    ],
)
async def test_who_chats_asks_for_himself_and_names_nobody(
    rig: Rig, monitor: Monitor, role: Role, status: int
) -> None:
    shop = await rig.shop().listed()

    answer = await monitor.get("/v1/monitor/me", shop.token(role, "anne"))
    named = await monitor.get("/v1/monitor/me", shop.token(), agent_id="somebody")

    assert (answer.status_code, named.status_code) == (status, 422)
    if status == 200:
        told = answer.json()
        assert (told["shop_id"], told["agent_id"]) == (shop.id, f"{shop.id}-anne")
        assert told["profile"] in {one["profile"] for one in told["figures"]}
