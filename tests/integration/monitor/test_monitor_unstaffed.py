"""What began while nobody of the shop was there is left out where a profile says so (H35)."""

from typing import Any

import pytest

from contracts.people import AgentState
from services.monitor.directory.rules import Rules
from services.monitor.response.service import MOST, Provisionals
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import Monitor, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def sessions(rig: Rig, shop: Shop) -> list[Any]:
    return await rig.rows(
        "select unstaffed, judged ? 'jd_2021', judged ? 'qiyu' from sessions where shop_id = :shop"
        " and 'agent/3600/600' = any(readings)",
        shop=shop.id,
    )


async def counted(rig: Rig, shop: Shop) -> dict[str, int]:
    rows = await rig.rows(
        "select profile, sum(sessions) from counters where shop_id = :shop"
        " and profile in ('jd_2021', 'qiyu') group by 1",
        shop=shop.id,
    )
    return {profile: int(number) for profile, number in rows}


@pytest.mark.parametrize("state", [AgentState.OFFLINE, AgentState.BREAK])
async def test_a_session_is_left_out_only_if_all_agents_were_away(
    rig: Rig, monitor: Monitor, state: AgentState
) -> None:
    shop, away = await rig.shop().listed(), state is AgentState.OFFLINE
    await shop.agent_is(state, "anne", 1)
    chat = await shop.chat(start=NOON).opened(10)
    await chat.buyer(60)
    await chat.agent(70)
    await rig.folded()

    async def judged() -> bool:
        return [row[0] for row in await sessions(rig, shop)] == [away]

    await eventually(judged, within=30, what="it is known whether anybody was there")
    assert await sessions(rig, shop) == [(away, not away, True)]
    totals = await counted(rig, shop)
    assert {name: number for name, number in totals.items() if number} == (
        {"qiyu": 1} if away else {"jd_2021": 1, "qiyu": 1}
    )
    report = await rig.recomputed()
    assert report.different == 0, report.shown


async def test_what_was_settled_before_staff_was_read_is_judged_afterwards(rig: Rig) -> None:
    shop = await rig.shop().listed()
    await shop.agent_is(AgentState.SUSPENDED, "anne", 1)
    async with rig.monitor():
        chat = await shop.chat(start=await rig.now()).opened()
        base = (await rig.now() - chat.start).total_seconds()
        await chat.buyer(base)
        await chat.agent(base + 0.4)

        async def judged() -> bool:
            return [row[:2] for row in await sessions(rig, shop)] == [(True, False)]

        await eventually(judged, within=30, what="the session is judged once more")

    totals = await counted(rig, shop)
    assert totals.get("jd_2021", 0) == 0
    report = await rig.recomputed()
    assert report.different == 0, report.shown


async def test_only_a_monitor_that_folds_judges_and_no_unknown_profile_is_left_out(
    rig: Rig,
) -> None:
    shop = rig.shop()
    rules = Rules.from_settings(rig.settings, rig.settings.open_lexicon())
    rules.staffing.note(shop.state_of(AgentState.SUSPENDED))
    # Tomorrow, so that the module's own monitor, if it runs, has not read that far.
    began = round((await rig.now()).timestamp() * 1000) + 86_400_000
    rules.staffing.through_ms = began + 1
    await rig.change(
        """
        insert into sessions (generation, partition, reading, readings, started_offset, shop_id,
            conversation_id, buyer_id, day, started_ms, to_human_ms, born_offset,
            settled_offset, rules, judged)
        values (1, 9, 'agent/3600/600', '{agent/3600/600}', 1, :shop, 'c', 'b', '2026-11-11',
            :began, :began, 1, 1, 2,
            '{"jd_2021": [1, 1, 400, 1], "of_another_book": [1, 1, 400, 1]}')
        """,
        shop=shop.id,
        began=began,
    )
    stored = "select unstaffed, judged from sessions where shop_id = :shop"
    before = await rig.rows(stored, shop=shop.id)

    assert await Provisionals(rig.database, rules, folds=lambda: False).judge_due() == 0
    assert await rig.rows(stored, shop=shop.id) == before
    assert before[0][0] is None

    assert await Provisionals(rig.database, rules, folds=lambda: True).judge_due() == 1
    ((unstaffed, judged),) = await rig.rows(stored, shop=shop.id)
    assert (unstaffed, list(judged)) == (True, ["of_another_book"])
    taken_off = "select profile, sessions from counters where shop_id = :shop"
    assert await rig.rows(taken_off, shop=shop.id) == [("jd_2021", -1)]
    await rig.change("delete from sessions where shop_id = :shop", shop=shop.id)
    await rig.change("delete from counters where shop_id = :shop", shop=shop.id)


async def test_what_gathered_while_bots_answered_by_the_hundred_is_judged_in_one_go(
    rig: Rig,
) -> None:
    shop = rig.shop()
    rules = Rules.from_settings(rig.settings, rig.settings.open_lexicon())
    rules.staffing.note(shop.state_of(AgentState.ONLINE))
    began = round((await rig.now()).timestamp() * 1000) + 86_400_000
    rules.staffing.through_ms = began + 1
    gathered = 2 * MOST + 7
    await rig.change(
        """
        insert into sessions (generation, partition, reading, readings, started_offset, shop_id,
            conversation_id, buyer_id, day, started_ms, to_human_ms, born_offset,
            settled_offset, rules, judged)
        select 1, 9, 'agent/3600/600', '{agent/3600/600}', n, :shop, 'c', 'b', '2026-11-11',
            :began, :began, 1, 1, 2, '{"jd_2021": [1, 1, 400, 1]}'
        from generate_series(1, :gathered) n
        """,
        shop=shop.id,
        began=began,
        gathered=gathered,
    )

    assert await Provisionals(rig.database, rules, folds=lambda: True).judge_due() == gathered

    known = "select unstaffed, count(*) from sessions where shop_id = :shop group by unstaffed"
    assert await rig.rows(known, shop=shop.id) == [(False, gathered)]
    await rig.change("delete from sessions where shop_id = :shop", shop=shop.id)
