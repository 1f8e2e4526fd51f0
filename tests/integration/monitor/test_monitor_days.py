"""Waiting and wording of a stretch of days: each part is what was played in it, in a file too."""

import csv
import io
from datetime import timedelta
from typing import Any, Final

import httpx2
import pytest

from contracts.conversation import PersonListed
from contracts.gateway import WordingConfirmed
from contracts.people import MessageId, PersonId, Role
from tests.integration.monitor.chats import NOON
from tests.integration.monitor.rig import DAY, Monitor, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

DAYS: Final = {"from": f"{DAY}", "to": f"{DAY + timedelta(days=2)}"}
HOUR_S, DAY_S = 3_600, 86_400
RUDE: Final = "你们是骗子吗，傻逼"

Json = dict[str, Any]


async def asked(monitor: Monitor, shop: Shop, what: str, **query: str) -> Json:
    """Ask for a report."""
    answer = await monitor.get(
        f"/v1/monitor/{what}", shop.token(), **({"shop": shop.id} | DAYS | query)
    )
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def waited(rig: Rig, shop: Shop) -> None:
    """Let two wait at noon, one of them until noon of the next day, and one begin an hour later."""
    short, long, later = [await shop.chat().opened() for _ in range(3)]
    await short.buyer(0)
    await short.agent(150)
    await long.buyer(0)
    await later.buyer(HOUR_S)
    await later.agent(HOUR_S + 60)
    await long.agent(DAY_S)
    await rig.folded()


async def test_waiting_is_told_by_the_day_and_by_the_hour(rig: Rig, monitor: Monitor) -> None:
    shop = await rig.shop().listed()
    await waited(rig, shop)

    by_day = await asked(monitor, shop, "waits")
    by_hour = await asked(monitor, shop, "waits", bucket="hour")
    curves = [
        (
            await monitor.get(
                "/v1/monitor/curve", shop.token(), shop=shop.id, day=f"{DAY + timedelta(days=n)}"
            )
        ).json()
        for n in range(2)
    ]

    days = [(one["began"], one["ended"], one["most"]) for one in by_day["rows"]]
    assert days == [(3, 2, 2), (0, 1, 1)]
    assert [one["waited_minutes"] for one in by_day["rows"]] == [
        sum(one["waiting"]) for one in curves
    ]
    assert len(by_hour["rows"]) == 48
    hours = [(one["began"], one["ended"], one["most"]) for one in by_hour["rows"][11:15]]
    assert hours == [(0, 0, 0), (2, 1, 2), (1, 1, 2), (0, 0, 1)]
    for name in ("began", "ended", "waited_minutes"):
        assert sum(one[name] for one in by_hour["rows"]) == sum(one[name] for one in by_day["rows"])


async def confirmed(rig: Rig, shop: Shop) -> None:
    """Say that an agent meant what the gate had asked about."""
    held = await shop.held("爱买不买")
    await rig.produce(
        WordingConfirmed(
            id=rig.ids.new(),
            time=NOON,
            shop_id=shop.id,
            message_id=MessageId(rig.ids.new()),
            incident_id=held.id,
            conversation_id=held.conversation_id,
            agent_id=held.agent_id,
            reason="买家自己这么说的",
            hits=held.hits,
            lexicon_version="1",
        )
    )


async def spoken(rig: Rig, monitor: Monitor, shop: Shop) -> None:
    """Let rude words be said by both on one day, and by the buyer alone on the next."""
    chat = await shop.chat().opened()
    await chat.buyer(0, RUDE)
    await chat.agent(10, RUDE)
    await chat.buyer(DAY_S, RUDE)
    await confirmed(rig, shop)
    await rig.folded()

    async def known() -> bool:
        return bool((await asked(monitor, shop, "wording"))["whole"]["meant"] == 1)

    await eventually(known, what="that it was meant")


async def test_what_became_of_words_is_told_by_category_agent_and_day(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    await spoken(rig, monitor, shop)

    by_category = await asked(monitor, shop, "wording")
    by_agent = await asked(monitor, shop, "wording", by="agent")
    by_day = await asked(monitor, shop, "wording", by="day")

    assert by_category["whole"]["flags_agent"] == 1
    assert by_category["whole"]["flags_buyer"] == 2
    for row in by_category["rows"]:
        assert row["category"] is not None
        assert row["flags_buyer"] <= by_category["whole"]["flags_buyer"]
    assert sum(one["meant"] for one in by_category["rows"]) >= 1
    assert [(one["agent_id"], one["flags_agent"], one["meant"]) for one in by_agent["rows"]] == [
        (f"{shop.id}-anne", 1, 1)
    ]
    assert [(one["flags_agent"], one["flags_buyer"]) for one in by_day["rows"]] == [(1, 1), (0, 1)]
    assert by_category["whole"] == by_agent["whole"] == by_day["whole"]


async def file(monitor: Monitor, shop: Shop, what: str, **query: str) -> httpx2.Response:
    """Ask for a report as a file."""
    params = {"shop": shop.id} | DAYS | query
    async with httpx2.AsyncClient(base_url=monitor.addresses.http, trust_env=False) as door:
        headers = {"Authorization": f"Bearer {shop.token()}", "Accept": "text/csv"}
        return await door.get(f"/v1/monitor/{what}", params=params, headers=headers)


async def test_both_are_files_that_no_spreadsheet_takes_for_a_formula(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await rig.shop().listed()
    anne = PersonId(f"{shop.id}-anne")
    await rig.produce(
        PersonListed(
            id=rig.ids.new(),
            time=NOON,
            shop_id=shop.id,
            subject=anne,
            name="=1+1",
            role=Role.AGENT,
            active=True,
            not_before=NOON,
            version=1,
        )
    )
    await waited(rig, shop)
    await spoken(rig, monitor, shop)

    async def listed() -> bool:
        return "'=1+1" in (await file(monitor, shop, "wording", by="agent")).text

    await eventually(listed, what="her name")
    waits = await file(monitor, shop, "waits")
    words = await file(monitor, shop, "wording", by="agent")

    assert waits.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(waits.text.removeprefix("\ufeff"))))
    assert [row["start"] for row in rows] == [
        "2026-11-11T00:00:00+08:00",
        "2026-11-12T00:00:00+08:00",
    ]
    assert rows[0]["began"] == "4"
    (row,) = csv.DictReader(io.StringIO(words.text.removeprefix("\ufeff")))
    assert (row["agent"], row["flags_agent"]) == ("'=1+1", "1")


@pytest.mark.parametrize("what", ["waits", "wording"])
@pytest.mark.parametrize(
    ("changed", "role", "status"),
    [
        ({}, Role.SUPERVISOR, 200),
        ({}, Role.ADMIN, 200),
        ({}, Role.AGENT, 403),
        ({}, Role.CLERK, 403),
        ({"shop": "another"}, Role.SUPERVISOR, 404),
        ({"to": f"{DAY}"}, Role.SUPERVISOR, 422),
        ({"to": "2027-11-11"}, Role.SUPERVISOR, 422),
        ({"from": "1999-12-31", "to": "2000-01-01"}, Role.SUPERVISOR, 422),
        ({"from": "9999-12-30", "to": "9999-12-31"}, Role.SUPERVISOR, 422),
    ],
)
async def test_a_report_is_for_who_leads_the_shop_and_of_days_that_there_are(
    *, rig: Rig, monitor: Monitor, what: str, changed: dict[str, str], role: Role, status: int
) -> None:
    shop = rig.shop()
    asked_for = {"shop": shop.id} | DAYS | changed

    answer = await monitor.get(f"/v1/monitor/{what}", shop.token(role, "x"), **asked_for)

    assert answer.status_code == status
