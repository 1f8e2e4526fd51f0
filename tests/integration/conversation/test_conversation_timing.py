"""A shop's own waits: changed by its leaders, dated, recorded, told, and followed at once."""

from typing import Any

import pytest
from sqlalchemy import text

from contracts.conversation import ShopListed, Timing
from kit.clock import ManualClock
from tests.integration.conversation import timed
from tests.integration.conversation.desk import Person, Platform, Shop, code, ok
from tests.integration.conversation.talking import begin, complete, events, has_text
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

clock, platform, admin = timed.clock, timed.platform, timed.admin


def _path(shop: Shop) -> str:
    return f"/v1/shops/{shop.id}/timing"


async def test_a_change_is_shown_dated_recorded_and_told(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    leader = await shop.staff("supervisor")
    usual = Timing().model_dump()
    assert ok(await leader.get(_path(shop))) == usual

    shown = ok(await leader.patch(_path(shop), {"idle_close_s": 900, "silence_s": 120}))
    clock.advance(10)
    ok(await leader.patch(_path(shop), {"silence_s": 60}))

    assert shown == usual | {"idle_close_s": 900, "silence_s": 120}
    now = shown | {"silence_s": 60}
    assert ok(await leader.get(_path(shop))) == now
    told = await eventually(lambda: _told(platform, shop, 3))
    assert [one.timing.model_dump() for one in told] == [usual, shown, now]
    assert await _audited(platform, shop) == [
        (leader.id, "idle_close_s 1800 -> 900, silence_s 180 -> 120"),
        (leader.id, "silence_s 120 -> 60"),
    ]
    assert await _dated(platform, shop) == [(900, 120), (900, 60)]


async def test_what_is_the_same_already_changes_nothing(platform: Platform) -> None:
    shop = await platform.shop()

    ok(await shop.boss.patch(_path(shop), {"silence_s": 180}))
    ok(await shop.boss.patch(_path(shop), {}))

    assert await _audited(platform, shop) == []
    assert ok(await shop.boss.get(f"/v1/shops/{shop.id}"))["version"] == 1


async def test_a_wording_policy_keeps_the_waits(platform: Platform) -> None:
    shop = await platform.shop()
    ok(await shop.boss.patch(_path(shop), {"overflow_s": 7}))

    ok(await shop.boss.put(f"/v1/shops/{shop.id}/wording-policy", {"wording_terms": ["竞品"]}))

    told = await eventually(lambda: _told(platform, shop, 3))
    assert [one.timing.overflow_s for one in told] == [20, 7, 7]


async def test_a_clock_that_is_behind_does_not_hide_the_newer_change(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    ok(await shop.boss.patch(_path(shop), {"silence_s": 100}))
    async with platform.service.db.write_across("a test") as session:
        ahead = text("update timings set since = since + interval '1 hour' where shop_id = :shop")
        await session.execute(ahead, {"shop": shop.id})

    ok(await shop.boss.patch(_path(shop), {"silence_s": 90}))

    assert ok(await shop.boss.get(_path(shop)))["silence_s"] == 90


@pytest.mark.parametrize(
    "change",
    [
        {"reopen_gap_s": -1},
        {"idle_close_s": 59},
        {"abandon_s": 599},
        {"silence_s": 29},
        {"overflow_s": 86_401},
        {"idle_close_s": 7 * 86_400 + 1},
        {"silence_s": "soon"},
        {"silence_s": 60.5},
        {"hold_s": 60},
    ],
)
async def test_a_wait_that_makes_no_sense_is_refused(
    platform: Platform, change: dict[str, Any]
) -> None:
    shop = await platform.shop()

    refused = await shop.boss.patch(_path(shop), change)

    assert refused.status_code == 422
    assert ok(await shop.boss.get(_path(shop))) == Timing().model_dump()


async def test_nobody_is_given_up_before_somebody_else_was_asked(platform: Platform) -> None:
    shop = await platform.shop()
    wish = {"silence_s": 700, "abandon_s": 600}

    assert code(await shop.boss.patch(_path(shop), wish)) == (422, "abandoned_too_soon")


async def test_only_leaders_change_and_only_their_own(platform: Platform) -> None:
    shop, other = await platform.shop(), await platform.shop()
    agent, buyer = await shop.staff(), await shop.buyer()

    assert ok(await agent.get(_path(shop))) == Timing().model_dump()
    refused = [
        await agent.patch(_path(shop), {"silence_s": 60}),
        await buyer.patch(_path(shop), {"silence_s": 60}),
        await buyer.get(_path(shop)),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    foreign = [
        await other.boss.patch(_path(shop), {"silence_s": 60}),
        await other.boss.get(_path(shop)),
    ]
    assert [code(answer) for answer in foreign] == [(404, "not_found")] * 2


async def test_a_shops_reopen_gap_decides_what_a_buyer_comes_back_to(
    platform: Platform, clock: ManualClock
) -> None:
    shop, agent, buyer, talk = await begin(platform)
    ok(await shop.boss.patch(_path(shop), {"reopen_gap_s": 60}))
    ok(await agent.post(f"/v1/conversations/{talk['id']}/close"))
    clock.advance(59)
    assert ok(await buyer.post("/v1/conversations"), 201)["id"] == talk["id"]
    ok(await agent.post(f"/v1/conversations/{talk['id']}/close"))
    clock.advance(60)
    assert ok(await buyer.post("/v1/conversations"), 201)["id"] != talk["id"]


async def test_a_shops_overflow_decides_when_other_groups_help(
    platform: Platform, clock: ManualClock
) -> None:
    shop = await platform.shop()
    ok(await shop.boss.patch(_path(shop), {"overflow_s": 60}))
    helper = await shop.staff(skill_groups=["complaint"])
    talk = ok(await (await shop.buyer()).post("/v1/conversations", {"topic": "pre_sale"}), 201)

    clock.advance(30)
    await platform.service.sweeps.fill()
    assert (await _now(helper, talk["id"]))["state"] == "queued"
    clock.advance(31)
    await platform.service.sweeps.fill()

    assert (await _now(helper, talk["id"]))["agent_id"] == helper.id


async def test_a_shops_silence_decides_when_an_agent_loses_a_buyer(
    platform: Platform, clock: ManualClock
) -> None:
    shop, agent, _, talk = await begin(platform)
    ok(await shop.boss.patch(_path(shop), {"silence_s": 60}))
    await platform.say(talk, "有人吗")
    await eventually(lambda: has_text(agent, talk, "有人吗"))
    colleague = await shop.staff()

    await _relieved(platform, clock, 50)
    assert (await _now(agent, talk["id"]))["agent_id"] == agent.id
    await _relieved(platform, clock, 11)

    assert (await _now(agent, talk["id"]))["agent_id"] == colleague.id


async def _relieved(platform: Platform, clock: ManualClock, seconds: float) -> None:
    """Let time pass and, once the archive is complete until now, look for silent agents."""
    clock.advance(seconds)
    await complete(platform, clock)
    await platform.service.sweeps.relieve()


async def _now(reader: Person, talk_id: str) -> dict[str, Any]:
    return ok(await reader.get(f"/v1/conversations/{talk_id}"))


async def _told(platform: Platform, shop: Shop, count: int) -> list[ShopListed]:
    found = await events(platform, "directory", f"shop:{shop.id}", ShopListed)
    return found if len(found) == count else []


async def _audited(platform: Platform, shop: Shop) -> list[tuple[str, str]]:
    async with platform.service.db.read_across("a test") as session:
        rows = await session.execute(
            text(
                "select actor_id, note from audit where shop_id = :shop"
                " and action = 'shop.timing_set' order by id"
            ),
            {"shop": shop.id},
        )
        return [(row.actor_id, row.note) for row in rows]


async def _dated(platform: Platform, shop: Shop) -> list[tuple[int, int]]:
    async with platform.service.db.read_across("a test") as session:
        rows = await session.execute(
            text("select idle_close_s, silence_s from timings where shop_id = :s order by since"),
            {"s": shop.id},
        )
        return [(row.idle_close_s, row.silence_s) for row in rows]
