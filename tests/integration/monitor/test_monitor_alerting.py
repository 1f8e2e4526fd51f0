"""What leaders are told becomes one alert, told once, until somebody cares or it is over (N40)."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from contracts.base import Event
from contracts.monitor import (
    AlertAcknowledged,
    AlertChanged,
    AlertKind,
    AlertOpened,
    AlertResolved,
    Verdict,
    WaitingThresholdPassed,
)
from contracts.people import ConversationId, PersonId, Role
from contracts.topics import ALERTS
from tests.integration.monitor.rig import Monitor, Rig, Shop
from tests.robots import ShopServer, listening
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

STANDING = "/v1/monitor/standing-alerts"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitor(rig: Rig) -> AsyncIterator[Monitor]:
    """A monitor that may send to this machine."""
    async with rig.monitor(outgoing_stand_ins="127.0.0.1") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[ShopServer]:
    """A shop's own server."""
    async with listening(ShopServer()) as listens:
        assert isinstance(listens, ShopServer)
        yield listens


async def told_shop(monitor: Monitor, server: ShopServer) -> Shop:
    """Return a shop whose leaders are told over its server."""
    shop = await monitor.shop_at_noon()
    body = {"name": "自己的", "kind": "webhook", "url": server.url}
    answer = await monitor.post("/v1/monitor/channels", shop.token(Role.ADMIN, "mia"), body)
    server.secret = answer.json()["secret"]
    return shop


def passed(rig: Rig, shop: Shop, threshold_s: int, chat: str = "") -> WaitingThresholdPassed:
    now = datetime.now(UTC)
    return WaitingThresholdPassed(
        id=rig.ids.new(),
        time=now,
        shop_id=shop.id,
        conversation_id=ConversationId(chat or rig.ids.new()),
        agent_id=PersonId(f"{shop.id}-anne"),
        profile="taobao_2022",
        threshold_s=threshold_s,
        opened_at=now - timedelta(seconds=threshold_s),
        late_ms=0,
    )


async def stand(monitor: Monitor, shop: Shop, number: int, **wanted: Any) -> list[Any]:
    """Return the shop's alerts once so many are as wanted."""

    async def found() -> list[Any]:
        items = (await monitor.get(STANDING, shop.token())).json()["items"]
        fit = [one for one in items if all(one[name] == is_ for name, is_ in wanted.items())]
        return fit if len(fit) == number else []

    return await eventually(found, what=f"{number} alerts that are {wanted}")


def _standing(seen: Sequence[Event], shop: Shop) -> list[Event]:
    """Return what the topic says of a shop's standing alerts."""
    mine = [one for one in seen if isinstance(one, AlertOpened | AlertChanged)]
    return [one for one in mine if one.shop_id == shop.id]


async def test_n40_repeats_are_counted_worse_is_told_and_an_event_counts_once(
    rig: Rig, monitor: Monitor, server: ShopServer
) -> None:
    shop = await told_shop(monitor, server)
    first = passed(rig, shop, 100)
    async with rig.watching(ALERTS.name) as seen:
        await rig.produce(first, first)
        await stand(monitor, shop, 1, level="warn", count=1)
        await rig.produce(passed(rig, shop, 180, first.conversation_id))
        (alert,) = await stand(monitor, shop, 1, level="critical")
        await rig.produce(passed(rig, shop, 100, first.conversation_id), first)
        await stand(monitor, shop, 1, count=3)
        await eventually(lambda: len(server.taken) == 2, what="opened and raised are told")
        await eventually(lambda: _standing(seen, shop)[1:], what="both on the topic")
        told = _standing(seen, shop)

    assert (alert["rule"], alert["value"], alert["conversation_id"]) == (
        "buyer_waits",
        180,
        first.conversation_id,
    )
    # The worst goes first where both are due.
    assert {one["data"]["step"] for one in server.taken} == {"opened", "raised"}
    assert [type(one) for one in told] == [AlertOpened, AlertChanged]


async def test_n40_nobody_cares_it_escalates_somebody_cares_it_does_not(
    rig: Rig, monitor: Monitor, server: ShopServer
) -> None:
    shop = await told_shop(monitor, server)
    forgotten, cared_for = passed(rig, shop, 180), passed(rig, shop, 180)
    await rig.produce(forgotten, cared_for)
    await stand(monitor, shop, 2, state="open")
    await rig.produce(
        AlertAcknowledged(
            id=rig.ids.new(),
            time=datetime.now(UTC),
            shop_id=shop.id,
            kind=AlertKind.WAITING,
            conversation_id=cared_for.conversation_id,
            person_id=PersonId("sue"),
            name="小苏",
            verdict=Verdict.HANDLED,
            alert_id=cared_for.id,
        )
    )
    await stand(monitor, shop, 1, state="acknowledged", conversation_id=cared_for.conversation_id)
    timers = "from timers where kind = 'alert.escalate' and shop_id = :shop"
    assert await rig.rows(f"select count(*) {timers}", shop=shop.id) == [(1,)]

    await rig.change(
        "update timers set fire_at = clock_timestamp() where shop_id = :shop", shop=shop.id
    )
    (alert,) = await stand(monitor, shop, 1, escalated=1)
    await eventually(lambda: len(server.taken) == 3, what="the escalation is told")

    assert alert["conversation_id"] == forgotten.conversation_id
    steps = [one["data"]["step"] for one in server.taken]
    assert sorted(steps) == ["escalated", "opened", "opened"]
    assert await rig.rows(f"select count(*) {timers}", shop=shop.id) == [(0,)]


async def test_n40_it_is_over_when_nobody_waits_any_more_and_what_comes_then_is_another(
    rig: Rig, monitor: Monitor, server: ShopServer
) -> None:
    shop = await told_shop(monitor, server)
    once = passed(rig, shop, 100)
    async with rig.watching(ALERTS.name) as seen:
        await rig.produce(once)
        (alert,) = await stand(monitor, shop, 1, state="open")
        await rig.change("update alerts set quiet_ms = 0 where id = :id", id=alert["id"])
        await stand(monitor, shop, 1, state="resolved")
        await rig.produce(passed(rig, shop, 100, once.conversation_id))
        await stand(monitor, shop, 1, state="open")

        def over() -> list[Any]:
            return [
                one for one in seen if isinstance(one, AlertResolved) and one.shop_id == shop.id
            ]

        (event,) = await eventually(over, what="it is told that it is over")

    assert event.alert_id == alert["id"]


async def test_n40_what_is_muted_is_stored_and_not_told(
    rig: Rig, monitor: Monitor, server: ShopServer
) -> None:
    shop = await told_shop(monitor, server)
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    mute = {"rule": "buyer_waits", "until": until, "reason": "大促压测"}
    answer = await monitor.post("/v1/monitor/mutes", shop.token(), mute)
    assert answer.status_code == 201, answer.text

    await rig.produce(passed(rig, shop, 100))
    await shop.held("滚")

    await stand(monitor, shop, 1, rule="buyer_waits", muted=True)
    await eventually(lambda: server.taken, what="the other rule is told")
    assert "拦截" in server.texts[0]
    assert await rig.rows("select rule from deliveries where shop_id = :s", s=shop.id) == [
        ("message_blocked",)
    ]
    audit = (await monitor.get("/v1/audit/monitor", shop.token())).json()["items"]
    assert ("alert_muted", "大促压测") in [(one["action"], one["note"]) for one in audit]
    gone = await monitor.command("DELETE", f"/v1/monitor/mutes/{answer.json()['id']}", shop.token())
    assert gone.status_code == 200
    assert (await monitor.get("/v1/monitor/mutes", shop.token())).json() == {"items": []}


@pytest.mark.parametrize(
    ("rule", "hours", "field"),
    [("buyer_waits", 25, "until"), ("message_blocked", 2, "until"), ("no_rule", 1, "rule"),
     ("buyer_waits", -1, "until")],
)  # fmt: skip
async def test_n40_a_mute_has_an_end_and_a_held_message_an_early_one(
    monitor: Monitor, server: ShopServer, rule: str, hours: int, field: str
) -> None:
    shop = await monitor.shop_at_noon()
    until = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    mute = {"rule": rule, "until": until, "reason": "大促压测"}

    answer = await monitor.post("/v1/monitor/mutes", shop.token(), mute)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"


async def test_n40_a_leader_takes_care_of_an_alert_as_it_stands_and_of_no_other_shops(
    rig: Rig, monitor: Monitor
) -> None:
    shop, other = await monitor.shop_at_noon(), await monitor.shop_at_noon()
    await rig.produce(passed(rig, shop, 180))
    (alert,) = await stand(monitor, shop, 1, state="open")
    path = f"{STANDING}/{alert['id']}/acknowledge"

    assert (await monitor.post(path, other.token(), {})).status_code == 404
    assert (await monitor.post(path, shop.token(Role.AGENT, "anne"), {})).status_code == 403
    done = await monitor.post(path, shop.token(), {})

    assert done.json()["state"] == "acknowledged"
    assert (await monitor.get(STANDING, other.token())).json()["items"] == []


async def test_n42_what_does_not_fit_becomes_a_digest(
    rig: Rig, monitor: Monitor, server: ShopServer
) -> None:
    shop = await told_shop(monitor, server)
    await rig.produce(*(passed(rig, shop, 180 if n % 20 == 0 else 100) for n in range(60)))

    def digested() -> Any:
        return next((one for one in server.taken if one["data"]["step"] == "digest"), None)

    def named(level: str) -> int:
        return sum(
            (one["data"]["step"], one["data"]["level"]) == ("opened", level) for one in server.taken
        )

    digest = await eventually(digested, what="a digest")
    await eventually(lambda: named("critical") == 3, what="critical ones are named")

    assert named("warn") <= 11
    assert len(server.taken) <= 18
    assert digest["data"]["level"] == "warn"
    ((number,),) = await rig.rows(
        "select count(*) from deliveries where merged_into = :id", id=digest["id"]
    )
    assert f"{number} 条告警" in digest["data"]["title"]
