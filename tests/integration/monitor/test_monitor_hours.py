"""How long agents were at their desks: what the topic of their states told, in whatever order."""

import csv
import io
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2
import pytest

from contracts.people import AgentState, Role
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

HOUR_MS: Final = 3_600_000

OFF, ON, BUSY, BREAK, OUT = (
    AgentState.OFFLINE,
    AgentState.ONLINE,
    AgentState.BUSY,
    AgentState.BREAK,
    AgentState.SUSPENDED,
)
TOLD: Final = (
    # Agent, version, hours after noon, what he was, what he became.
    ("anne", 1, -3, OFF, ON), ("anne", 2, -2, ON, BUSY), ("anne", 4, -1, BUSY, BREAK),
    ("anne", 5, -0.5, BREAK, ON), ("anne", 6, 13, ON, OFF),
    # Nobody told when he came.
    ("ben", 7, 3, ON, OUT), ("ben", 8, 4, OUT, OFF),
    # Nobody told what he was between nine and ten.
    ("cid", 1, -3, OFF, ON), ("cid", 3, -2, BUSY, BREAK), ("cid", 4, -1.5, BREAK, OFF),
    ("dora", 1, -3, OFF, BREAK), ("dora", 2, -2, BREAK, OFF),
    # The next day's change says that she was something else in between.
    ("eva", 1, 1, OFF, ON), ("eva", 3, 22, BUSY, OFF),
)  # fmt: skip


async def told(rig: Rig, shop: Shop) -> None:
    """Tell everything twice, in a disorder of its own."""
    changes = [
        shop.state_of(became, agent, version).model_copy(
            update={"previous": was, "since": NOON + timedelta(hours=hours)}
        )
        for agent, version, hours, was, became in TOLD
    ] * 2
    random.Random(7).shuffle(changes)
    await rig.produce(*changes)

    async def stored() -> bool:
        found = await rig.rows(
            "select count(*) from agent_states where shop_id = :shop", shop=shop.id
        )
        return bool(found == [(len(TOLD),)])

    await eventually(stored)


async def hours(monitor: Monitor, shop: Shop, **query: Any) -> dict[str, Any]:
    """Ask for a report that is told through its end."""
    stretch = {"shop": shop.id, "from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}"} | query
    found: dict[str, Any] = {}

    async def is_told() -> bool:
        answer = await monitor.get("/v1/monitor/hours", shop.token(), **stretch)
        assert answer.status_code == 200, answer.text
        found.update(answer.json())
        return bool(found["as_of"] == found["end"])

    await eventually(is_told)
    return found


def row(first: float | None, last: float | None, **spent: float) -> dict[str, Any]:
    """Return a row: hours after noon, and hours of each state."""
    states = dict.fromkeys(("online", "busy", "break", "suspended", "unknown"), 0.0)
    assert spent.keys() <= states.keys()
    return {
        "first": None if first is None else NOON + timedelta(hours=first),
        "last": None if last is None else NOON + timedelta(hours=last),
        **{f"{name}_ms": round(time * HOUR_MS) for name, time in (states | spent).items()},
    }


def shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of an answer as `row` writes it."""
    about = {"agent_id", "start", "agents", "utilisation"}
    return {
        name: datetime.fromisoformat(value) if name in {"first", "last"} and value else value
        for name, value in entry.items()
        if name not in about
    }


async def test_hours_of_a_day_are_what_was_told_and_nothing_is_guessed(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    await told(rig, shop)

    report = await hours(monitor, shop)

    found = {entry["agent_id"].removeprefix(f"{shop.id}-"): entry for entry in report["rows"]}
    assert {agent: shown(entry) for agent, entry in found.items()} == {
        "anne": row(-3, 12, online=13.5, busy=1, **{"break": 0.5}),
        "ben": row(None, None, suspended=1, unknown=15),
        "cid": row(None, None, unknown=1, **{"break": 0.5}),
        "dora": row(None, None, **{"break": 1}),
        "eva": row(None, None, unknown=11),
    }
    assert [entry["agents"] for entry in report["rows"]] == [1, 0, 0, 0, 0]
    assert report["rows"][0] == found["anne"]


async def test_days_add_up_to_what_the_agents_do(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    await told(rig, shop)
    two = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=2)}"}

    agents = await hours(monitor, shop, **two)
    days = await hours(monitor, shop, **two, by="day")

    anne = next(one for one in agents["rows"] if one["agent_id"].endswith("anne"))
    assert shown(anne) == row(-3, 13, online=14.5, busy=1, **{"break": 0.5})
    assert [shown(one) for one in days["rows"]] == [
        row(-3, 12, online=13.5, busy=1, suspended=1, unknown=27, **{"break": 2}),
        row(12, 13, online=1, unknown=10),
    ]
    assert [one["agents"] for one in days["rows"]] == [1, 1]
    spent = [name for name in anne if name.endswith("_ms")]
    for name in spent:
        assert sum(one[name] for one in agents["rows"]) == sum(one[name] for one in days["rows"])


async def test_of_days_to_come_nothing_is_told_yet(rig: Rig, monitor: Monitor) -> None:
    shop = rig.shop()
    await told(rig, shop)
    known = await hours(monitor, shop)
    query = {"shop": shop.id, "from": "2030-01-01", "to": "2030-01-02"}

    answer = await monitor.get("/v1/monitor/hours", shop.token(), **query)

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["rows"] == []
    assert known["as_of"] <= found["as_of"] < found["start"]


async def test_the_file_has_the_rows_by_the_clock_of_the_shop(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    await told(rig, shop)
    report = await hours(monitor, shop)

    async with httpx2.AsyncClient(base_url=monitor.addresses.http, trust_env=False) as door:
        answer = await door.get(
            "/v1/monitor/hours",
            params={"shop": shop.id, "from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}"},
            headers={"Authorization": f"Bearer {shop.token()}", "Accept": "text/csv"},
        )

    read = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [int(one["online_ms"]) for one in read] == [one["online_ms"] for one in report["rows"]]
    assert (read[0]["first"], read[0]["last"]) == (
        f"{DAY}T09:00:00+08:00",
        f"{DAY + timedelta(days=1)}T00:00:00+08:00",
    )


async def test_hours_are_for_leaders_of_the_shop(rig: Rig, monitor: Monitor) -> None:
    shop, other = await rig.shop().listed(), await rig.shop().listed()
    stretch = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}"}

    agent = await monitor.get("/v1/monitor/hours", shop.token(Role.AGENT), shop=shop.id, **stretch)
    stranger = await monitor.get("/v1/monitor/hours", other.token(), shop=shop.id, **stretch)

    assert (agent.status_code, stranger.status_code) == (403, 404)
