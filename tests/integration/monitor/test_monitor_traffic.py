"""What is said in a shop, day by day; and a sum that a release began to count in the midst."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from contracts.people import Role
from tests.integration.monitor.rig import Monitor, Rig, Shop

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

DAYS = {"from": "2026-11-11", "to": "2026-11-13"}
MESSAGES = ("buyer_messages", "agent_messages", "other_messages")
DAY_S = 86_400


async def spoken(rig: Rig) -> Shop:
    """Return a shop that heard three messages on one day and one on the next."""
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    await chat.buyer(0)
    await chat.agent(10)
    await chat.buyer(20)
    await chat.buyer(DAY_S)
    await rig.folded()
    return shop


async def by_day(monitor: Monitor, shop: Shop) -> dict[str, dict[str, int | None]]:
    """Ask for both days."""
    answer = await monitor.get("/v1/monitor/traffic", shop.token(), shop=shop.id, **DAYS)
    assert answer.status_code == 200, answer.text
    return {
        one["day"]: {name: one["sums"][name] for name in MESSAGES} for one in answer.json()["days"]
    }


async def test_messages_are_told_by_the_shops_own_day(rig: Rig, monitor: Monitor) -> None:
    shop = await spoken(rig)

    assert await by_day(monitor, shop) == {
        "2026-11-11": {"buyer_messages": 2, "agent_messages": 1, "other_messages": 0},
        "2026-11-12": {"buyer_messages": 1, "agent_messages": 0, "other_messages": 0},
    }


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"shop": "another"}, 404),
        ({"to": "2026-11-11"}, 422),
        ({"to": "2027-11-11"}, 422),
        ({"to": "9999-12-31"}, 422),
        ({"to": "tomorrow"}, 422),
    ],
)
async def test_a_question_that_has_no_answer_is_refused(
    rig: Rig, monitor: Monitor, changed: dict[str, str], status: int
) -> None:
    shop = rig.shop()
    asked: dict[str, Any] = {"shop": shop.id} | DAYS | changed

    assert (await monitor.get("/v1/monitor/traffic", shop.token(), **asked)).status_code == status


async def test_an_agent_is_not_told_of_the_whole_shop(rig: Rig, monitor: Monitor) -> None:
    shop = rig.shop()

    token = shop.token(Role.AGENT, "anne")
    answer = await monitor.get("/v1/monitor/traffic", token, shop=shop.id, **DAYS)

    assert answer.status_code == 403


@pytest_asyncio.fixture(loop_scope="module")
async def late_sum(rig: Rig) -> AsyncIterator[Shop]:
    """A shop whose first day began before `other_messages` were counted."""
    shop = await spoken(rig)
    column = "ALTER TABLE monitor.traffic ALTER COLUMN other_messages"
    await rig.made.alter("monitor", f"{column} DROP NOT NULL")
    first = "shop_id = :shop and day = '2026-11-11'"
    await rig.change(f"update traffic set other_messages = null where {first}", shop=shop.id)
    yield shop
    await rig.change("update traffic set other_messages = 0 where other_messages is null")
    await rig.made.alter("monitor", f"{column} SET NOT NULL")


async def test_a_sum_says_nothing_of_days_that_began_without_it(
    rig: Rig, monitor: Monitor, late_sum: Shop
) -> None:
    chat = await late_sum.chat("anne").opened()
    await chat.bot(30)
    await chat.bot(DAY_S + 30)
    await rig.folded()

    report = await rig.recomputed()

    told = await by_day(monitor, late_sum)
    assert told["2026-11-11"]["other_messages"] is None
    assert told["2026-11-11"]["buyer_messages"] == 2
    assert told["2026-11-12"]["other_messages"] == 1
    assert report.different == 0, report.shown
    assert report.skipped["not_counted_then"] == 1
