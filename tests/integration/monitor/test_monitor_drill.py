"""A figure and what lies behind it: as many rounds and sessions as it says, and just those."""

from collections import Counter
from datetime import timedelta
from typing import Any, Final

import pytest

from contracts.people import PersonId, Role
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

STRETCH: Final = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}"}
PROFILES: Final = ("taobao_2022", "jd_2021", "qiyu", "kuaimai")
OUTCOMES: Final = ("within", "late", "unanswered")

Rows = list[dict[str, Any]]


async def opened(monitor: Monitor, shop: Shop, what: str, token: str = "", **query: Any) -> Rows:
    """Return all rows behind a number, five at a time."""
    rows: Rows = []
    asked = {"shop": shop.id, "limit": 5} | STRETCH | query
    while True:
        answer = await monitor.get(f"/v1/monitor/{what}", token or shop.token(), **asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        asked["cursor"] = page["next_cursor"]


async def figures(monitor: Monitor, shop: Shop, **query: Any) -> Rows:
    """Return rows of figures."""
    asked = {"shop": shop.id} | STRETCH | query
    answer = await monitor.get("/v1/monitor/figures", shop.token(), **asked)
    assert answer.status_code == 200, answer.text
    found: Rows = answer.json()["rows"]
    return found


async def played(rig: Rig, shop: Shop) -> dict[tuple[str, str], set[str]]:
    """Play a day; return which conversations had a round of which agent that ended how."""
    told: dict[tuple[str, str], set[str]] = {}
    waits: list[tuple[str, int | None]] = [
        ("anne", 10), ("anne", 10), ("anne", 40), ("anne", 179), ("anne", 181), ("anne", 700),
        ("anne", None), ("ben", 20), ("ben", 200), ("ben", None), ("ben", None),
    ]  # fmt: skip
    for number, (agent, wait_s) in enumerate(waits):
        # Some begin at the same moment: their order is by what names them.
        at = 60 * (number // 3)
        chat = await shop.chat(agent).opened(at)
        await chat.buyer(at)
        if wait_s is not None:
            await chat.agent(at + wait_s)
        outcome = "unanswered" if wait_s is None else "within" if wait_s <= 180 else "late"
        told.setdefault((agent, outcome), set()).add(chat.id)
    return told


async def test_each_number_opens_the_rounds_that_were_played(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    told = await played(rig, shop)
    await rig.day_over(shop)

    for agent in ("anne", "ben"):
        for outcome in OUTCOMES:
            rows = await opened(
                monitor,
                shop,
                "rounds",
                profile="taobao_2022",
                agent=f"{shop.id}-{agent}",
                outcome=outcome,
            )
            wanted = told.get((agent, outcome), set())
            assert {row["conversation_id"] for row in rows} == wanted
            assert len(rows) == len(wanted)
            assert {row["agent_id"] for row in rows} <= {f"{shop.id}-{agent}"}


async def test_figures_are_the_sums_of_what_they_open_under_every_profile(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    await played(rig, shop)
    handed = await shop.chat("anne").opened()
    await handed.buyer(5)
    await handed.transferred(20, PersonId(f"{shop.id}-ben"))
    await handed.agent(50)
    nobodys = shop.chat("nobody")
    await nobodys.buyer(30)
    await rig.day_over(shop)

    for profile in PROFILES:
        (whole,) = await figures(monitor, shop, profile=profile)
        by_agent = await figures(monitor, shop, profile=profile, by="agent")
        assert sum(row["rounds"] for row in by_agent) == whole["rounds"]
        for row in [*by_agent, whole]:
            whose: dict[str, Any] = {}
            if row is not whole:
                agent = row["agent_id"]
                whose = {"unowned": True} if agent is None else {"agent": agent}
            asked = {"profile": profile} | whose
            rounds = await opened(monitor, shop, "rounds", **asked)
            sessions = await opened(monitor, shop, "sessions", **asked)
            ended = {
                outcome: await opened(monitor, shop, "rounds", outcome=outcome, **asked)
                for outcome in OUTCOMES
            }
            first = {
                outcome: await opened(monitor, shop, "sessions", outcome=outcome, **asked)
                for outcome in OUTCOMES
            }

            assert len(rounds) == row["rounds"]
            assert sum(one["counted_ms"] for one in rounds) == row["round_ms"]
            assert len(ended["within"]) == row["within"]
            assert len(ended["unanswered"]) == row["unanswered"]
            assert len(sessions) == row["sessions"] == sum(map(len, first.values()))
            assert len(first["within"]) == row["first_within"]
            assert len(first["within"] + first["late"]) == row["first_responses"]
            assert sum(one["counted_ms"] for one in sessions) == row["first_response_ms"]
            answered = Counter(one["outcome"] for one in rounds if one["took_ms"] is not None)
            assert answered["late"] == len(ended["late"])
            places = [(one["at"], one["conversation_id"]) for one in rounds]
            assert places == sorted(places, reverse=True)
            assert len(set(places)) == len(places)


async def test_who_waits_today_is_behind_no_figure_and_what_the_board_counts_is(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    now = await rig.now()
    chats = [await shop.chat(start=now - timedelta(seconds=90)).opened() for _ in range(3)]
    for chat, wait_s in zip(chats, (5, 60, None), strict=True):
        await chat.buyer(0)
        if wait_s is not None:
            await chat.agent(wait_s)
    await rig.folded()

    board = (await monitor.get("/v1/monitor/board", shop.token(), shop=shop.id)).json()
    (counted,) = [one for one in board["figures"] if one["profile"] == "taobao_2022"]
    hours = {
        "from": f"{now - timedelta(hours=1):%FT%TZ}",
        "to": f"{now + timedelta(hours=1):%FT%TZ}",
        "profile": "taobao_2022",
    }
    rounds = await opened(monitor, shop, "rounds", **hours)
    sessions = await opened(monitor, shop, "sessions", **hours)

    assert (board["waiting"], counted["rounds"], counted["sessions"]) == (1, 2, 2)
    assert {row["conversation_id"] for row in rounds} == {chat.id for chat in chats[:2]}
    assert sorted(row["took_ms"] for row in rounds) == [5_000, 60_000]
    assert {row["conversation_id"] for row in sessions} == {chat.id for chat in chats[:2]}


async def test_an_agent_opens_his_own_and_nobody_another_shops(rig: Rig, monitor: Monitor) -> None:
    shop, other = await rig.shop().listed(), await rig.shop().listed()
    await played(rig, shop)
    await rig.day_over(shop)
    ben = shop.token(Role.AGENT, "ben")

    own = await opened(monitor, shop, "rounds", ben, profile="taobao_2022", agent=f"{shop.id}-anne")
    asked = {"shop": shop.id, "profile": "taobao_2022"} | STRETCH
    statuses = {
        what: [
            (await monitor.get(f"/v1/monitor/{what}", token, **asked)).status_code
            for token in (other.token(), shop.token(Role.CLERK), shop.token(Role.BUYER))
        ]
        for what in ("rounds", "sessions")
    }
    first = await monitor.get("/v1/monitor/rounds", shop.token(), limit=1, **asked)
    cursor = first.json()["next_cursor"]
    elsewhere = await monitor.get("/v1/monitor/sessions", shop.token(), cursor=cursor, **asked)

    assert {row["agent_id"] for row in own} == {f"{shop.id}-ben"}
    assert statuses == {"rounds": [404, 403, 403], "sessions": [404, 403, 403]}
    assert elsewhere.status_code == 422
