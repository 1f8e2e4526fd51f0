"""Figures by the hour and as a file: each part is what was played in it, and all say the same."""

import csv
import io
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2
import pytest

from contracts.conversation import PersonListed
from contracts.people import PersonId, Role
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

STRETCH: Final = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=1)}", "profile": "qiyu"}
MINUTE: Final = 60
PLAYED: Final = (
    # Minutes after noon, agent, seconds until the answer.
    (0, "anne", 10), (14, "anne", 20), (15, "ben", 30), (59, "anne", 200), (60, "ben", 40),
    (61, "ben", None), (62, "ben", 50), (300, "anne", 5), (659, "ben", 60), (719, "ben", None),
)  # fmt: skip
SUMS: Final = (
    "rounds", "round_ms", "unanswered", "within", "slow", "sessions", "first_responses",
    "first_response_ms", "first_within",
)  # fmt: skip


async def asked(monitor: Monitor, shop: Shop, **query: Any) -> httpx2.Response:
    """Ask for figures."""
    params = {"shop": shop.id} | STRETCH | query
    answer = await monitor.get("/v1/monitor/figures", shop.token(), **params)
    assert answer.status_code == 200, answer.text
    return answer


async def rows(monitor: Monitor, shop: Shop, **query: Any) -> list[dict[str, Any]]:
    """Return the rows of figures."""
    found: list[dict[str, Any]] = (await asked(monitor, shop, **query)).json()["rows"]
    return found


async def played(rig: Rig, shop: Shop) -> None:
    """Play the day through its end."""
    for minute, agent, wait_s in PLAYED:
        chat = await shop.chat(agent).opened(minute * MINUTE)
        await chat.buyer(minute * MINUTE)
        if wait_s is not None:
            await chat.agent(minute * MINUTE + wait_s)
    await rig.day_over(shop)


def expected(minutes: int) -> dict[tuple[datetime, str], Counter[str]]:
    """Count what was played by parts of so many minutes and by agent."""
    found: dict[tuple[datetime, str], Counter[str]] = {}
    for minute, agent, wait_s in PLAYED:
        start = NOON + timedelta(minutes=minute // minutes * minutes)
        count = found.setdefault((start, agent), Counter())
        count["sessions"] += 1
        if wait_s is None:
            # This profile leaves it out of the mean.
            count["unanswered"] += 1
            continue
        count.update(rounds=1, round_ms=wait_s * 1000, within=int(wait_s <= 180))
        count.update(first_responses=1, first_within=int(wait_s <= 30))
    return found


@pytest.mark.parametrize(("bucket", "minutes"), [("quarter", 15), ("hour", 60)])
async def test_each_part_counts_what_was_played_in_it(
    rig: Rig, monitor: Monitor, bucket: str, minutes: int
) -> None:
    shop = await rig.shop().listed()
    await played(rig, shop)

    found = {
        (datetime.fromisoformat(row["start"]), row["agent_id"].rpartition("-")[2]): row
        for row in await rows(monitor, shop, bucket=bucket, by="agent")
    }

    wanted = expected(minutes)
    assert found.keys() == wanted.keys()
    for key, count in wanted.items():
        assert {name: found[key][name] for name in count} == count
        assert found[key]["rounds"] == count["rounds"]


async def test_parts_of_any_size_add_up_to_the_whole_and_open_as_many_rounds(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    await played(rig, shop)

    (whole,) = await rows(monitor, shop)
    assert whole["start"] is None
    for bucket in ("quarter", "hour", "day"):
        cut = await rows(monitor, shop, bucket=bucket)
        assert {name: sum(row[name] for row in cut) for name in SUMS} == {
            name: whole[name] for name in SUMS
        }
    for row in await rows(monitor, shop, bucket="hour"):
        start = datetime.fromisoformat(row["start"])
        stretch = {"from": f"{start:%FT%TZ}", "to": f"{start + timedelta(hours=1):%FT%TZ}"}
        answer = await monitor.get(
            "/v1/monitor/rounds", shop.token(), **({"shop": shop.id} | STRETCH | stretch)
        )
        assert len(answer.json()["items"]) == row["rounds"]


async def test_the_file_has_the_same_rows_and_no_formula(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    name, anne = '=HYPERLINK("http://evil.example","安妮")', PersonId(f"{shop.id}-anne")
    await rig.produce(
        PersonListed(
            id=rig.ids.new(),
            time=NOON,
            shop_id=shop.id,
            subject=anne,
            role=Role.AGENT,
            name=name,
            active=True,
            not_before=NOON,
            version=1,
        )
    )
    await played(rig, shop)
    told = await rows(monitor, shop, bucket="hour", by="agent")

    async def file() -> str:
        async with httpx2.AsyncClient(base_url=monitor.addresses.http, trust_env=False) as door:
            answer = await door.get(
                "/v1/monitor/figures",
                params={"shop": shop.id, "bucket": "hour", "by": "agent"} | STRETCH,
                headers={
                    "Authorization": f"Bearer {shop.token()}",
                    "Accept": "text/csv, */*;q=0.1",
                },
            )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        return answer.text

    async def named() -> bool:
        return "HYPERLINK" in await file()

    await eventually(named, what="the agent's name is known")
    text = await file()
    found = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))

    assert text.startswith("\ufeff")
    assert len(found) == len(told)
    for line, row in zip(found, told, strict=True):
        start = datetime.fromisoformat(line["start"])
        assert start == datetime.fromisoformat(row["start"])
        assert start.utcoffset() == timedelta(hours=8)
        assert line["agent_id"] == row["agent_id"]
        assert {key: line[key] for key in SUMS} == {key: str(row[key]) for key in SUMS}
    assert {line["agent"] for line in found if line["agent_id"] == anne} == {f"'{name}"}


@pytest.mark.parametrize(
    ("shift", "minutes"),
    [("12:00-13:00", range(60)), ("12:30-17:00", range(30, 300)), ("13:00-00:00", range(60, 720))],
)
async def test_a_shift_counts_its_hours_alone_and_opens_as_many_rounds(
    rig: Rig, monitor: Monitor, shift: str, minutes: range
) -> None:
    shop = await rig.shop().listed()
    await played(rig, shop)
    mine = [(agent, wait_s) for minute, agent, wait_s in PLAYED if minute in minutes]
    dates = {"from": f"{DAY - timedelta(days=2)}", "to": f"{DAY + timedelta(days=1)}"}

    (row,) = await rows(monitor, shop, shift=shift, **dates)
    agents = await rows(monitor, shop, shift=shift, by="agent", **dates)

    answered = [wait_s for _, wait_s in mine if wait_s is not None]
    assert (row["sessions"], row["rounds"]) == (len(mine), len(answered))
    assert row["round_ms"] == sum(answered) * 1000
    assert row["unanswered"] == len(mine) - len(answered)
    assert {one["start"] for one in agents} == {row["start"]}
    assert {one["agent_id"].rpartition("-")[2] for one in agents} == {agent for agent, _ in mine}
    assert {name: sum(one[name] for one in agents) for name in SUMS} == {
        name: row[name] for name in SUMS
    }
    begins, ends = shift.split("-")
    until = DAY + timedelta(days=int(ends <= begins))
    answer = await monitor.get(
        "/v1/monitor/rounds",
        shop.token(),
        **({"shop": shop.id} | STRETCH | {"from": f"{DAY}T{begins}", "to": f"{until}T{ends}"}),
    )
    assert len(answer.json()["items"]) == row["rounds"]


@pytest.mark.parametrize(
    "query",
    [{"shift": "8-16"}, {"shift": "24:00-01:00"}, {"shift": "08:00-16:00", "bucket": "day"}],
)
async def test_a_shift_that_is_none_is_refused(
    rig: Rig, monitor: Monitor, query: dict[str, str]
) -> None:
    shop = await rig.shop().listed()

    answer = await monitor.get(
        "/v1/monitor/figures", shop.token(), **({"shop": shop.id} | STRETCH | query)
    )

    assert answer.status_code == 422
