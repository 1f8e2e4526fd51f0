"""The golden cases of metrics.md that count buyers: buyers are counted where figures are asked for.

Played to a running monitor, for what counts them is SQL over stored rounds and those still open.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.integration.monitor.chats import NOON, Chat
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


class Buyers(NamedTuple):
    """Buyers of a shop, each once a day."""

    asked: int
    unanswered: int = 0
    late: int = 0


def at(clock: str, *, days: int = 0) -> float:
    """Return a Shanghai clock reading in seconds after the noon that chats count from."""
    moment = datetime.fromisoformat(f"{DAY}T{clock}+08:00") + timedelta(days=days)
    return (moment - NOON).total_seconds()


async def begun(rig: Rig, clock: str) -> tuple[Shop, Chat]:
    """Return a shop and a conversation that is opened at this time."""
    shop = await rig.shop().listed()
    return shop, await shop.chat().opened(at(clock))


async def buyers(monitor: Monitor, shop: Shop, profile: str, **asked: str) -> Buyers:
    """Return the buyers of the day, or of what is asked, once all of the log is folded."""
    await monitor.rig.folded()
    rows = (await figures(monitor, shop, profile, **asked))["rows"]
    names = ("buyers", "buyers_unanswered", "buyers_late")
    return Buyers(*(sum(row[name] for row in rows) for name in names))


async def figures(monitor: Monitor, shop: Shop, profile: str, **asked: str) -> dict[str, Any]:
    query = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}"} | asked
    path = "/v1/monitor/figures"
    answer = await monitor.get(path, shop.token(), shop=shop.id, profile=profile, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_case_6_a_buyer_answered_in_time_is_never_shown_as_failed(
    rig: Rig, monitor: Monitor
) -> None:
    now = await rig.now()
    shop = await monitor.shop_at_noon()
    hours = {
        "from": f"{now - timedelta(hours=1):%FT%TZ}",
        "to": f"{now + timedelta(hours=1):%FT%TZ}",
    }

    chat = await shop.chat(start=now - timedelta(seconds=10)).opened()
    await chat.buyer(1)
    while_open = await buyers(monitor, shop, "kuaishou_2023", **hours)
    waiting = (await figures(monitor, shop, "kuaishou_2023", **hours))["open_rounds"]
    await chat.agent(5)

    assert (while_open, waiting) == (Buyers(asked=0), 1)
    assert await buyers(monitor, shop, "kuaishou_2023", **hours) == Buyers(asked=1)


async def test_case_6_a_buyer_answered_in_time_is_so_at_midnight_too_and_who_waits_is_not(
    rig: Rig, monitor: Monitor
) -> None:
    shop, answered = await begun(rig, "10:00:00")
    await answered.buyer(at("10:00:01"))
    await answered.agent(at("10:00:05"))
    await rig.day_over(shop)

    assert await buyers(monitor, shop, "kuaishou_2023") == Buyers(asked=1)

    waiting, unheard = await begun(rig, "10:00:00")
    await unheard.buyer(at("10:00:01"))
    await rig.day_over(waiting)
    assert await buyers(monitor, waiting, "kuaishou_2023") == Buyers(1, unanswered=1, late=1)


@pytest.mark.parametrize(("reply", "late"), [("10:05:00", 0), ("10:05:01", 1)])
async def test_under_pdd_a_buyer_is_invalid_whose_message_was_answered_too_late(
    rig: Rig, monitor: Monitor, reply: str, late: int
) -> None:
    shop, chat = await begun(rig, "10:00:00")
    await chat.buyer(at("10:00:00"))
    await chat.agent(at(reply))

    assert await buyers(monitor, shop, "pdd") == Buyers(asked=1, unanswered=0, late=late)


async def test_under_pdd_one_message_without_an_answer_makes_a_buyer_invalid_once(
    rig: Rig, monitor: Monitor
) -> None:
    shop, chat = await begun(rig, "10:00:00")
    for hour in ("10", "11"):
        await chat.buyer(at(f"{hour}:00:00"))
        await chat.agent(at(f"{hour}:00:05"))
    valid = await buyers(monitor, shop, "pdd")

    await chat.buyer(at("12:00:00"))
    await rig.day_over(shop)

    assert valid == Buyers(asked=1, unanswered=0, late=0)
    assert await buyers(monitor, shop, "pdd") == Buyers(asked=1, unanswered=1, late=1)


async def test_under_pdd_a_buyer_counts_anew_on_the_next_day(rig: Rig, monitor: Monitor) -> None:
    shop, chat = await begun(rig, "10:00:00")
    await chat.buyer(at("10:00:00"))
    await chat.agent(at("10:30:00"))
    await chat.buyer(at("10:00:00", days=1))
    await chat.agent(at("10:00:05", days=1))

    both = {"to": f"{DAY + timedelta(days=2)}"}
    assert await buyers(monitor, shop, "pdd", **both) == Buyers(asked=2, unanswered=0, late=1)


async def test_under_pdd_only_a_person_s_answer_counts(rig: Rig, monitor: Monitor) -> None:
    shop, chat = await begun(rig, "10:00:00")
    await chat.buyer(at("10:00:00"))
    await chat.bot(at("10:00:01"))
    await chat.auto(at("10:00:02"))
    await chat.agent(at("10:06:00"))

    assert (await buyers(monitor, shop, "pdd")).late == 1


@pytest.mark.parametrize(
    ("asked", "counted"), [("07:59:59", 0), ("08:00:00", 1), ("22:59:59", 1), ("23:00:00", 0)]
)
async def test_under_pdd_the_day_lasts_from_eight_to_eleven(
    rig: Rig, monitor: Monitor, asked: str, counted: int
) -> None:
    shop, chat = await begun(rig, asked)
    await chat.buyer(at(asked))
    await rig.day_over(shop)

    assert (await buyers(monitor, shop, "pdd")).asked == counted
