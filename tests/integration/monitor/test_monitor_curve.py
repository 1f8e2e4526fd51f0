"""How many waited through a day: counted as rounds settle, and the same whoever counts again."""

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.people import PersonId, Role
from tests.integration.monitor.chats import Chat
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

NOON_MINUTE = 12 * 60
DAY_S = 86_400


async def curve(monitor: Monitor, shop: Shop, day: date = DAY) -> dict[str, Any]:
    """Ask for a day's curve."""
    answer = await monitor.get("/v1/monitor/curve", shop.token(), shop=shop.id, day=f"{day}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def played(rig: Rig, shop: Shop) -> list[Chat]:
    """Play a noon: one answered, one handed on, one closed on, one who waits for two days."""
    chats = [await shop.chat().opened() for _ in range(4)]
    first, handed, closed, long = chats
    await first.buyer(0)
    await first.agent(150)
    await handed.buyer(60)
    await handed.transferred(100, PersonId(f"{shop.id}-ben"))
    await handed.agent(310)
    await closed.buyer(70)
    await closed.closed(90)
    await long.buyer(30)
    await long.agent(2 * DAY_S)
    await rig.folded()
    return chats


async def test_the_curve_says_how_many_waited_at_the_end_of_each_minute(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    await played(rig, shop)

    days = [await curve(monitor, shop, DAY + timedelta(days=n)) for n in range(3)]

    assert [len(one["waiting"]) for one in days] == [1440] * 3
    noon = days[0]["waiting"][NOON_MINUTE - 1 : NOON_MINUTE + 7]
    assert noon == [0, 2, 3, 2, 2, 2, 1, 1]
    assert set(days[1]["waiting"]) == {1}
    assert days[2]["waiting"][NOON_MINUTE - 1 : NOON_MINUTE + 1] == [1, 0]
    assert sum(days[0]["opened"]) == sum(one for day in days for one in day["closed"]) == 5


async def test_who_waits_still_is_on_the_curve_of_each_day_since(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)
    await rig.folded()

    today, tomorrow = await curve(monitor, shop), await curve(monitor, shop, DAY + timedelta(1))

    assert today["waiting"][NOON_MINUTE - 1 : NOON_MINUTE + 1] == [0, 1]
    assert today["opened"][NOON_MINUTE] == 1
    assert set(tomorrow["waiting"]) == {1}


async def test_a_word_that_was_late_leaves_no_wait_behind(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    old, new = await shop.chat().opened(), await shop.chat().opened(200)
    await old.buyer(0)
    await old.agent(10)
    await old.closed(20)
    await old.buyer(130)
    await old.late(150, new)
    await new.agent(260)
    await rig.folded()

    found = await curve(monitor, shop)

    assert (await rig.recomputed()).different == 0
    assert sum(found["opened"]) == sum(found["closed"]) == 2
    assert found["waiting"][-1] == 0


async def test_an_answer_that_turns_out_to_be_a_goodbye_ended_no_wait(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = shop.chat()
    await chat.buyer(0)
    await chat.agent(70, seat=1)
    await rig.folded()
    before = await curve(monitor, shop)
    # It had been closed and forgotten: the seat that answered was nobody's any more.
    chat.version = 1
    await chat.reopened(80)
    await chat.assigned(90, chat.agent_id)
    await rig.folded()
    after = await curve(monitor, shop)
    report = await rig.recomputed()

    assert before["closed"][NOON_MINUTE + 1] == 1
    assert after["waiting"][NOON_MINUTE : NOON_MINUTE + 3] == [1, 1, 1]
    assert sum(after["closed"]) == 0
    assert report.different == 0, report.shown


async def test_minutes_are_counted_again_after_a_release_that_does_not_count(rig: Rig) -> None:
    shop = await rig.shop().listed()
    async with rig.monitor() as monitor:
        chats = await played(rig, shop)
        counted = await curve(monitor, shop)
    # The release before folds on: its rounds are there, its minutes are not, nor is the mark moved.
    await rig.change("delete from waiting_minutes where shop_id = :shop", shop=shop.id)
    await rig.change("update waiting_marks set counted_to = counted_to - 1")
    missing = await rig.recomputed()
    async with rig.monitor() as monitor:
        for chat in chats:  # so that each of their partitions is folded on
            await chat.buyer(3 * DAY_S)
        await rig.folded()
        again = await curve(monitor, shop)

    assert missing.different > 0
    assert again["waiting"] == counted["waiting"]


async def test_recompute_compares_minutes_and_tells_of_one_that_is_wrong(rig: Rig) -> None:
    shop = await rig.shop().listed()
    async with rig.monitor():
        await played(rig, shop)
    right = await rig.recomputed()
    mine = f"where shop_id = '{shop.id}'"
    await rig.change(f"update waiting_minutes set opened = opened + 1 {mine}")
    wrong = await rig.recomputed()
    await rig.change(f"update waiting_minutes set opened = opened - 1 {mine}")

    assert right.different == 0, right.shown
    assert right.compared["waiting_minutes"] > 5
    assert wrong.different > 0


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"shop": "another"}, 404),
        ({"day": "9999-12-31"}, 422),
        ({"day": "1999-12-31"}, 422),
        ({"day": "tomorrow"}, 422),
    ],
)
async def test_a_curve_that_does_not_exist_is_refused(
    rig: Rig, monitor: Monitor, changed: dict[str, str], status: int
) -> None:
    shop = rig.shop()
    asked: dict[str, Any] = {"shop": shop.id, "day": f"{DAY}"} | changed

    assert (await monitor.get("/v1/monitor/curve", shop.token(), **asked)).status_code == status


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.SUPERVISOR, 200), (Role.ADMIN, 200), (Role.AGENT, 403), (Role.CLERK, 403)],
)
async def test_only_who_leads_a_shop_sees_its_curve(
    rig: Rig, monitor: Monitor, role: Role, status: int
) -> None:
    shop = rig.shop()

    answer = await monitor.get("/v1/monitor/curve", shop.token(role, "x"), shop=shop.id)

    assert answer.status_code == status


async def test_a_day_to_come_has_no_minutes_yet(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()

    found = await curve(monitor, shop, date(2099, 1, 1))

    assert found["waiting"] == []
