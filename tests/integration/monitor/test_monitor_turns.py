"""Figures from turns: who asked, who was received, and how much of his time it took."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from contracts.conversation import PersonListed
from contracts.people import AgentState, PersonId, Role
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def inquiries(monitor: Monitor, shop: Shop, **query: Any) -> dict[str, Any]:
    """Ask who asked on the day, under a profile that counts all of it."""
    stretch = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}", "profile": "qiyu"}
    asked = {"shop": shop.id} | stretch | query
    answer = await monitor.get("/v1/monitor/inquiries", shop.token(), **asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def part(figure: dict[str, Any]) -> tuple[int, int]:
    """Return what a figure was divided from, and look that it is the quotient."""
    numerator, denominator = figure["numerator"], figure["denominator"]
    assert figure["value"] == (numerator / denominator if denominator else None)
    assert (figure["why"] is None) == bool(denominator)
    return numerator, denominator


async def busy_noon(rig: Rig, shop: Shop) -> None:
    """Four buyers: one is answered, one handed on, one is nobody's, one works for the shop."""
    anne = await shop.chat().opened(-1)
    await anne.buyer(0)
    await anne.buyer(2)
    await anne.agent(10)
    handed = await shop.chat().opened(-1)
    await handed.buyer(5)
    await handed.transferred(200, PersonId(f"{shop.id}-ben"))
    for at in (210, 220, 230):
        await handed.agent(at)
    nobodys = await shop.chat().opened(-60)
    await nobodys.queued(-30)
    await nobodys.buyer(20)
    colleague = shop.chat("ben")
    colleague.buyer_id = PersonId(f"{shop.id}-colleague")
    await colleague.opened(300)
    await colleague.buyer(301)
    await colleague.agent(302)
    await rig.folded()


async def test_m11_who_asked_was_received_or_not_or_filtered(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    await rig.produce(
        PersonListed(
            id=rig.ids.new(),
            time=NOON,
            shop_id=shop.id,
            subject=PersonId(f"{shop.id}-colleague"),
            name="小林",
            role=Role.AGENT,
            active=True,
            not_before=NOON,
            version=1,
        )
    )
    await busy_noon(rig, shop)

    async def known() -> bool:
        (row,) = (await inquiries(monitor, shop, by="shop"))["rows"]
        return bool(row["filtered"]["own_staff"])

    await eventually(known, what="the directory knows the colleague")
    await rig.day_over(shop)
    whole = await inquiries(monitor, shop, by="shop")
    agents = await inquiries(monitor, shop)
    days = await inquiries(monitor, shop, by="day")

    (row,) = whole["rows"]
    assert (row["consulted"], row["received"], row["unreceived"]) == (4, 2, 1)
    assert row["filtered"] == {"ids": 0, "own_staff": 1, "leave_message": 0, "bot_only": 0}
    assert (part(row["reception"]), part(row["answers"])) == ((2, 3), (4, 3))
    (of_day,) = days["rows"]
    assert of_day == row | {"day": f"{DAY}"}
    found = {
        entry["agent_id"].removeprefix(f"{shop.id}-"): (
            entry["consulted"], entry["received"], entry["unreceived"], entry["most_at_once"],
            part(entry["answers"]),
        )
        for entry in agents["rows"]
    }  # fmt: skip
    assert found == {"anne": (2, 1, 1, 2, (1, 2)), "ben": (2, 1, 0, 2, (3, 0))}


async def test_n7_an_empty_shop_says_why_it_has_no_figures(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()

    whole = await inquiries(monitor, shop, by="shop")

    (row,) = whole["rows"]
    assert row["consulted"] == 0
    names = ("reception", "answers", "slow", "blocked", "confirmed", "delivered")
    assert {row[name]["why"] for name in names} == {"no_traffic"}
    assert {row[name]["value"] for name in names} == {None}


async def test_m08_a_buyer_to_whom_an_agent_was_slow_three_times_on_a_day(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    for times in (2, 3):
        chat = await shop.chat().opened(-1)
        for number in range(times):
            await chat.buyer(number * 400)
            await chat.agent(number * 400 + 121)
    await rig.folded()

    (row,) = (await inquiries(monitor, shop))["rows"]

    assert part(row["slow"]) == (1, 2)


async def test_m20_what_breaks_a_rule_is_among_all_that_was_said(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened(-1)
    await chat.buyer(0)
    for at, words in ((1, "亲，马上发"), (2, "你是骗子吗，傻逼"), (3, "今天下午发出")):
        await chat.agent(at, words)
    held = await shop.held("滚")
    await rig.produce(held.model_copy(update={"id": rig.ids.new(), "time": NOON}))
    await rig.folded()

    async def stored() -> bool:
        (row,) = (await inquiries(monitor, shop, by="shop"))["rows"]
        return bool(part(row["blocked"])[0])

    await eventually(stored, what="what was held back")
    whole = await inquiries(monitor, shop, by="shop")

    (row,) = whole["rows"]
    assert (part(row["blocked"]), part(row["delivered"])) == ((1, 4), (1, 4))
    assert part(row["confirmed"]) == (0, 4)
    assert whole["wording"]
    assert {part(kind["delivered"])[1] for kind in whole["wording"]} == {4}


async def test_m24_utilisation_is_the_time_at_the_desk_with_a_buyer(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    online = shop.state_of(AgentState.ONLINE)
    away = shop.state_of(AgentState.BREAK, version=2).model_copy(
        update={"previous": AgentState.ONLINE, "since": NOON + timedelta(seconds=1_000)}
    )
    await rig.produce(online, away)
    for number in range(2):  # two at once are one time
        chat = await shop.chat().opened(100 * number)
        await chat.buyer(100 * number)
    await rig.folded()
    query = {"shop": shop.id, "from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}"}

    found: dict[str, Any] = {}

    async def told() -> bool:
        answer = await monitor.get("/v1/monitor/hours", shop.token(), **query)
        found.update(answer.raise_for_status().json())
        return bool(found["as_of"] == found["end"] and found["rows"][0]["break_ms"])

    await eventually(told)
    (row,) = found["rows"]
    assert part(row["utilisation"]) == (700_000, 1_000_000)
    days = await monitor.get("/v1/monitor/hours", shop.token(), **query, by="day")
    assert days.json()["rows"][0]["utilisation"] == row["utilisation"]


async def test_inquiries_show_an_agent_his_own_and_are_a_file_too(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    await busy_noon(rig, shop)
    path, query = "/v1/monitor/inquiries", {
        "shop": shop.id, "profile": "qiyu", "from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}",
    }  # fmt: skip

    own = await monitor.get(path, shop.token(Role.AGENT, "ben"), **query, by="shop")
    other = await monitor.get(path, rig.shop().token(), **query)
    unknown = await monitor.get(path, shop.token(), **(query | {"profile": "none"}))
    async with httpx2.AsyncClient(base_url=monitor.addresses.http, trust_env=False) as door:
        headers = {"Authorization": f"Bearer {shop.token()}", "Accept": "text/csv"}
        sheet = await door.get(path, params=query, headers=headers)

    assert [row["agent_id"] for row in own.json()["rows"]] == [f"{shop.id}-ben"]
    assert (other.status_code, unknown.status_code) == (404, 404)
    assert sheet.headers["content-type"].startswith("text/csv")
    assert len(sheet.text.splitlines()) == 3


async def test_m11_who_left_a_message_or_met_a_bot_alone_is_filtered(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    away = shop.state_of(AgentState.SUSPENDED)
    await rig.produce(away.model_copy(update={"since": NOON - timedelta(hours=1)}))
    for answers in (False, True):
        chat = await shop.chat().opened(-60)
        await chat.queued(-30)
        await chat.buyer(0)
        if answers:
            await chat.bot(5)
    await rig.day_over(shop)
    found: list[dict[str, int]] = []

    async def told() -> bool:
        found.clear()
        for profile in ("jd_2021", "taobao_2022", "qiyu"):
            (row,) = (await inquiries(monitor, shop, by="shop", profile=profile))["rows"]
            assert (row["consulted"], row["received"]) == (2, 0)
            found.append({name: number for name, number in row["filtered"].items() if number})
        return bool(found[0])

    await eventually(told, what="it is known that nobody was there")
    # A message that nobody answered is settled by nothing, and left all the same.
    assert found == [{"leave_message": 2}, {"bot_only": 1}, {}]
