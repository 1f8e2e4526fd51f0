"""What leaders are told, in one list; who took care of it, and what people made of it."""

import asyncio
from datetime import datetime
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from contracts.monitor import AlertAcknowledged, WaitingThresholdPassed, WordingJudged
from contracts.people import Role
from contracts.topics import ALERTS
from tests.integration.monitor.rig import Monitor, Rig, Shop
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

HANDLED = {"verdict": "handled", "note": "已经谈过"}
WRONG = {"verdict": "not_abusive", "note": "买家自己说的"}


async def listed(
    monitor: Monitor, shop: Shop, *, number: int, wait: str = "", **query: Any
) -> list[Any]:
    """Return the shop's alerts once there are so many; of waits the one of this id alone.

    Whoever waits on while a machine is busy passes further thresholds.
    """

    async def found() -> list[Any]:
        answer = await monitor.get("/v1/monitor/alerts", shop.token(), **query)
        assert answer.status_code == 200, answer.text
        return concerned(answer.json()["items"], wait)

    async def enough() -> list[Any]:
        items = await found()
        return items if len(items) == number else []

    return await eventually(enough, what=f"{number} alerts") if number else await found()


def concerned(items: list[Any], wait: str) -> list[Any]:
    """Leave out waits past other thresholds."""
    return [one for one in items if one["kind"] != "waiting" or one["id"] == wait]


async def waited(rig: Rig, monitor: Monitor, shop: Shop) -> WaitingThresholdPassed:
    """Let a buyer wait past a threshold; return what was told of it first."""
    now = await rig.now()
    async with rig.watching(ALERTS.name) as seen:
        chat = await shop.chat(start=now).opened()
        await rig.folded()
        await chat.buyer((await rig.now() - now).total_seconds() - 17)

        def told() -> WaitingThresholdPassed | None:
            return next(
                (
                    one
                    for one in seen
                    if isinstance(one, WaitingThresholdPassed) and one.shop_id == shop.id
                ),
                None,
            )

        found = await eventually(told, what="the threshold")
    assert found is not None
    return found


async def test_three_kinds_are_one_list_that_goes_on_behind_what_is_known(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    told = await waited(rig, monitor, shop)
    held = await shop.held("滚")
    flagged = await shop.chat(start=await rig.now()).opened()
    await flagged.agent(0, "你是傻逼吗")
    await rig.folded()

    found = {one["id"]: one for one in await listed(monitor, shop, number=3, wait=told.id)}

    assert {one["kind"] for one in found.values()} == {"waiting", "incident", "flag"}
    assert found[told.id]["threshold_s"] == told.threshold_s
    assert found[told.id]["person_id"] == told.agent_id is not None
    assert (found[held.id]["text"], found[held.id]["action"]) == ("滚", "block")
    (flag,) = [one for one in found.values() if one["kind"] == "flag"]
    assert (flag["speaker"], flag["hits"][0]["surface"]) == ("agent", "傻逼")
    times = [datetime.fromisoformat(one["at"]) for one in found.values()]
    assert times == sorted(times, reverse=True)
    for one in found:
        behind = await listed(monitor, shop, number=3, wait=told.id, after=one)
        assert one in {later["id"] for later in behind}
    pages: list[Any] = []
    query: dict[str, Any] = {"limit": 1}
    while query.get("cursor", "first") is not None:
        page = (await monitor.get("/v1/monitor/alerts", shop.token(), **query)).json()
        assert len(page["items"]) == 1
        pages += page["items"]
        query["cursor"] = page["next_cursor"]
    assert [one["id"] for one in concerned(pages, told.id)] == [*found]


async def test_of_two_leaders_at_once_one_takes_care_and_both_are_told_who(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    told = await waited(rig, monitor, shop)
    held = await shop.held("滚")
    await listed(monitor, shop, number=2, wait=told.id, state="open")
    first: dict[str, Any] = {}
    leaders = [shop.token(subject=f"boss-{number}") for number in range(6)]

    async with rig.watching(ALERTS.name) as seen:
        for alert in (told.id, held.id):
            path = f"/v1/monitor/alerts/{alert}/acknowledge"
            answers = await asyncio.gather(
                *(
                    monitor.post(path, token, {"verdict": "handled", "note": f"{number}"})
                    for number, token in enumerate(leaders)
                )
            )
            assert [one.status_code for one in answers] == [200] * 6
            (first, *others) = [one.json() for one in answers]
            assert others == [first] * 5
            later = await monitor.post(path, shop.token(subject="late"), WRONG)
            assert later.json() == first
        about = {told.id, held.id}
        await eventually(lambda: about <= {one.alert_id for one in _of(seen, AlertAcknowledged)})
    assert sorted(one.alert_id for one in _of(seen, AlertAcknowledged)) == sorted(about)

    assert await listed(monitor, shop, number=0, wait=told.id, state="open") == []
    both = await listed(monitor, shop, number=2, wait=told.id, state="acknowledged")
    done = {one["id"]: one["acknowledged"] for one in both}
    assert done[held.id] == first
    assert (first["name"], first["verdict"]) == ("小苏", "handled")


async def test_the_latest_verdict_of_each_person_stands(rig: Rig, monitor: Monitor) -> None:
    shop = await monitor.shop_at_noon()
    held = await shop.held("滚")
    await listed(monitor, shop, number=1)
    path = f"/v1/monitor/incidents/{held.id}/feedback"
    anne, sue = shop.token(Role.AGENT, "anne"), shop.token()

    async with rig.watching(ALERTS.name) as seen:
        both = await asyncio.gather(
            monitor.post(path, anne, WRONG), monitor.post(path, anne, HANDLED)
        )
        assert [one.status_code for one in both] == [200, 200]
        assert (await monitor.post(path, anne, HANDLED)).status_code == 200
        assert (await monitor.post(path, anne, WRONG)).status_code == 200
        assert (await monitor.post(path, anne, WRONG)).status_code == 200
        assert (await monitor.post(path, sue, HANDLED)).status_code == 200
        await eventually(
            lambda: any(
                one.verdict == "handled" and "sue" in one.person_id
                for one in _of(seen, WordingJudged)
            )
        )
    (item,) = await listed(monitor, shop, number=1)

    stands = {one["person_id"].removeprefix(f"{shop.id}-"): one for one in item["feedback"]}
    assert stands["anne"]["verdict"] == "not_abusive"
    assert stands["anne"]["note"] == WRONG["note"]
    assert stands["sue"]["verdict"] == "handled"
    # What was said last is told last, and what changes nothing is not told.
    annes = [one.verdict for one in _of(seen, WordingJudged) if "anne" in one.person_id]
    assert annes[-1] == "not_abusive"
    assert all(one != other for one, other in pairwise(annes))


async def test_a_command_that_comes_again_by_its_key_is_answered_and_told_once(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    held = await shop.held("滚")
    await listed(monitor, shop, number=1)
    path = f"/v1/monitor/incidents/{held.id}/feedback"

    first = await monitor.post(path, shop.token(), WRONG, key="k1")
    again = await monitor.post(path, shop.token(), WRONG, key="k1")
    other = await monitor.post(path, shop.token(), HANDLED, key="k1")

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_agents_judge_their_own_alone_and_take_care_of_nothing(
    rig: Rig, monitor: Monitor
) -> None:
    shop, other = await monitor.shop_at_noon(), await monitor.shop_at_noon()
    held = await shop.held("滚")
    chat = await shop.chat(start=await rig.now()).opened()
    await chat.agent(0, "你是傻逼吗")
    await rig.folded()
    flag = next(one["id"] for one in await listed(monitor, shop, number=2) if one["kind"] == "flag")
    anne, ben = shop.token(Role.AGENT, "anne"), shop.token(Role.AGENT, "ben")
    clerk, buyer = shop.token(Role.CLERK, "carl"), shop.token(Role.BUYER, "anne")
    thief = other.token()

    def status(answer: httpx2.Response) -> int:
        return answer.status_code

    for kind, subject in (("incidents", held.id), ("flags", flag)):
        path = f"/v1/monitor/{kind}/{subject}/feedback"
        tried = {
            who: status(await monitor.post(path, token, WRONG))
            for who, token in (
                ("anne", anne), ("ben", ben), ("clerk", clerk), ("buyer", buyer),
                ("thief", thief), ("boss", shop.token()),
            )
        }  # fmt: skip
        assert tried == {
            "anne": 200, "ben": 404, "clerk": 403, "buyer": 403, "thief": 404, "boss": 200,
        }  # fmt: skip
    crossed = f"/v1/monitor/flags/{held.id}/feedback"
    assert status(await monitor.post(crossed, shop.token(), WRONG)) == 404
    take_care = f"/v1/monitor/alerts/{held.id}/acknowledge"
    assert status(await monitor.post(take_care, anne, HANDLED)) == 403
    assert status(await monitor.post(take_care, thief, HANDLED)) == 404
    assert status(await monitor.get("/v1/monitor/alerts", anne)) == 403
    assert status(await monitor.get("/v1/monitor/alerts", thief, after=held.id)) == 404
    assert await listed(monitor, other, number=0) == []
    (one,) = await listed(monitor, shop, number=1, state="open", limit=1)
    assert one["acknowledged"] is None


def _of(seen: list[Any], kind: type[Any]) -> list[Any]:
    return [one for one in seen if isinstance(one, kind)]
