"""A shop's board by totals and tiles: what is told adds up to the whole board."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from contracts.base import Event
from contracts.conversation import PersonListed
from contracts.monitor import BoardAgent, BoardTotals
from contracts.people import AgentState, PersonId, Role, SkillGroupId
from contracts.topics import BOARD
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import Monitor, Rig, Shop, boards_of
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


def totals_of(seen: Sequence[Event], shop: Shop) -> list[BoardTotals]:
    """Return the totals of a shop among events."""
    return [one for one in seen if isinstance(one, BoardTotals) and one.shop_id == shop.id]


def tiles_of(seen: Sequence[Event], shop: Shop) -> dict[str, BoardAgent]:
    """Return the newest tile of everybody in a shop who has one."""
    newest = {
        one.agent_id: one for one in seen if isinstance(one, BoardAgent) and one.shop_id == shop.id
    }
    return {agent: tile for agent, tile in newest.items() if not tile.removed}


async def listed(rig: Rig, shop: Shop, name: str, **changes: Any) -> PersonId:
    """Put somebody on the directory."""
    subject = PersonId(f"{shop.id}-{name}")
    entry = {"name": name, "role": Role.AGENT, "active": True, "version": 1} | changes
    await rig.produce(
        PersonListed(
            id=rig.ids.new(),
            time=NOON,
            shop_id=shop.id,
            subject=subject,
            not_before=NOON,
            **entry,
        )
    )
    return subject


async def test_tiles_and_totals_add_up_to_the_whole_board(rig: Rig, monitor: Monitor) -> None:
    shop = await monitor.shop_at_noon()
    anne, idle = await listed(rig, shop, "anne"), await listed(rig, shop, "idle")
    async with rig.watching(BOARD.name) as seen:
        await shop.agent_is(AgentState.ONLINE)
        chat = await shop.chat(start=await rig.now()).opened()
        await chat.buyer(0)
        await chat.agent(1)
        await chat.buyer(2)
        await rig.folded()
        await eventually(
            lambda: (
                anne in (told := tiles_of(seen, shop))
                and told[anne].waiting == 1
                and told[anne].state is AgentState.ONLINE
                and totals_of(seen, shop)[-1].messages == 3
            ),
            what="what was said on tiles and totals",
        )
        whole = await monitor.get("/v1/monitor/board", shop.token(), shop=shop.id)
        inside = await monitor.inside(f"/internal/board/{shop.id}/tiles")

    board, told, totals = whole.json(), tiles_of(seen, shop), totals_of(seen, shop)[-1]
    (rest,) = board["agents"]
    assert (rest["agent_id"], rest["open_conversations"]) == (anne, told[anne].open_conversations)
    assert set(told) == {anne, idle}
    assert (told[idle].state, told[idle].open_conversations) == (AgentState.OFFLINE, 0)
    assert totals.states == {AgentState.ONLINE: 1, AgentState.OFFLINE: 1}
    assert (totals.waiting, totals.queued) == (board["waiting"], 0)
    assert totals.waiting_since == told[anne].waiting_since is not None
    assert told[anne].waiting_since == totals.waiting_longest[0].waiting_since
    for figures in board["figures"]:
        rounds, round_ms, *_, within, within_s = totals.figures[figures["profile"]]
        assert (rounds, round_ms) == (figures["rounds"], figures["round_ms"])
        assert (within, within_s) == (figures["first_within"], figures["first_within_s"])
    answered = inside.json()
    assert {one["agent_id"] for one in answered["agents"]} == set(told)
    assert answered["totals"]["messages"] == 3
    assert "id" not in answered["agents"][0]


async def test_a_tile_tells_room_groups_and_wording_and_totals_how_late_it_is(
    rig: Rig, monitor: Monitor
) -> None:
    shop, group = await monitor.shop_at_noon(), SkillGroupId("presale")
    anne = await listed(rig, shop, "anne", capacity=8, groups=(group,))
    away = await listed(rig, shop, "away", capacity=10, groups=())
    async with rig.watching(BOARD.name) as seen:
        await shop.agent_is(AgentState.ONLINE)
        chat = await shop.chat(start=await rig.now() - timedelta(seconds=130)).opened()
        await chat.buyer(0)
        await chat.agent(1, "你是不是傻逼")
        await chat.buyer(2)
        await shop.held("滚远点")
        await rig.folded()
        await eventually(
            lambda: (
                anne in (told := tiles_of(seen, shop))
                and (told[anne].flags, told[anne].held) == (1, 1)
                and totals_of(seen, shop)[-1].levels == (1, 1, 0)
            ),
            what="what was said and held, and a wait that is warned of",
        )

    tiles, totals = tiles_of(seen, shop), totals_of(seen, shop)[-1]
    assert (tiles[anne].capacity, tiles[anne].groups) == (8, (group,))
    assert (tiles[away].capacity, tiles[away].groups, tiles[away].flags) == (10, (), 0)
    assert totals.capacity == 8  # who is away has no room


async def test_who_left_has_no_tile_any_more(rig: Rig, monitor: Monitor) -> None:
    shop = await monitor.shop_at_noon()
    gone = await listed(rig, shop, "gone")
    async with rig.watching(BOARD.name) as seen:
        chat = await shop.chat(start=await rig.now()).opened()
        await chat.buyer(0)
        await rig.folded()
        await eventually(lambda: gone in tiles_of(seen, shop), what="the tile of who is idle")
        await listed(rig, shop, "gone", active=False, version=2)
        await chat.buyer(1)

        def is_gone() -> bool:
            return gone not in tiles_of(seen, shop)

        await eventually(is_gone, what="the end of the tile")


async def test_of_a_large_shop_only_tiles_that_changed_are_told(rig: Rig, monitor: Monitor) -> None:
    shop, number = await rig.shop().listed(), 120
    many = [shop.state_of(AgentState.ONLINE, f"{agent:04}") for agent in range(number)]
    async with rig.watching(BOARD.name) as seen:
        await rig.produce(*many)
        await eventually(lambda: len(tiles_of(seen, shop)) == number, what="everybody's tile")
        await eventually(
            lambda: totals_of(seen, shop)[-1].states == {AgentState.ONLINE: number},
            what="totals that count everybody",
        )
        before = len(seen)
        await shop.agent_is(AgentState.SUSPENDED, "0007", version=2)
        changed = PersonId(f"{shop.id}-0007")
        await eventually(
            lambda: tiles_of(seen, shop)[changed].state is AgentState.SUSPENDED,
            what="the tile of who changed",
        )
        told = [one for one in seen[before:] if isinstance(one, BoardAgent)]
        told = [one for one in told if one.shop_id == shop.id]

    assert {one.agent_id for one in told} == {changed}
    assert max(len(board.agents) for board in boards_of(seen, shop)) < number
