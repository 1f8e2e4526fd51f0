"""Leaders are told outside the console: by robots that speak their own wire, and by webhooks (N41).

The robots are stand-ins on this machine; everything between the topic and them is real.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from contracts.people import Role
from kit.clock import SystemClock
from services.monitor.channels import repository
from tests.integration.monitor.rig import Monitor, Rig, Shop
from tests.robots import HANGS, DingTalk, Feishu, Robot, ShopServer, WeCom, listening
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

CHANNELS = "/v1/monitor/channels"
CANARY = "独角兽暗号"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitor(rig: Rig) -> AsyncIterator[Monitor]:
    """A monitor that may send to this machine."""
    async with rig.monitor(
        outgoing_stand_ins="127.0.0.1", public_url="https://desk.example"
    ) as started:
        yield started


def manager(shop: Shop) -> str:
    return shop.token(Role.ADMIN, "mia")


async def added(monitor: Monitor, shop: Shop, robot: Robot, kind: str, **more: Any) -> Any:
    """Add a channel to a robot; return it as it was shown."""
    body = {"name": "值班群", "kind": kind, "url": robot.url, **more}
    if robot.secret and kind != "webhook":
        body["secret"] = robot.secret
    answer = await monitor.post(CHANNELS, manager(shop), body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def deliveries(monitor: Monitor, shop: Shop, channel: Any) -> list[Any]:
    answer = await monitor.get(f"{CHANNELS}/{channel['id']}/deliveries", shop.token())
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def settled(monitor: Monitor, shop: Shop, channel: Any, step: str) -> Any:
    """Return the newest delivery of a step once it is settled."""

    async def found() -> Any:
        items = await deliveries(monitor, shop, channel)
        return next(
            (one for one in items if one["step"] == step and one["state"] != "pending"), None
        )

    return await eventually(found, what=f"{step} is settled")


async def tried(monitor: Monitor, shop: Shop, channel: Any) -> Any:
    answer = await monitor.post(f"{CHANNELS}/{channel['id']}/test", manager(shop), {})
    assert answer.status_code == 202, answer.text
    return await settled(monitor, shop, channel, "test")


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("dingtalk", lambda: DingTalk("SEC1", path="/robot/send?access_token=tok1")),
        ("feishu", lambda: Feishu("fs-secret", path="/open-apis/bot/v2/hook/tok1")),
        ("wecom", lambda: WeCom(path="/cgi-bin/webhook/send?key=k1")),
        ("webhook", lambda: ShopServer("webhook")),
    ],
)
async def test_n41_a_test_arrives_signed_as_each_kind_wants_it(
    monitor: Monitor, kind: str, made: Callable[[], Robot]
) -> None:
    shop = await monitor.shop_at_noon()
    async with listening(made()) as robot:
        channel = await added(monitor, shop, robot, kind)
        if kind == "webhook":
            robot.secret = channel["secret"]

        done = await tried(monitor, shop, channel)

    assert (done["state"], done["attempts"]) == ("sent", 1)
    assert len(robot.taken) == 1
    assert "PeakDesk" in robot.texts[0]
    assert "小店" in robot.texts[0]


async def test_n41_an_address_is_shown_in_part_and_a_secret_once(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    robot = ShopServer("webhook", path="/hook?token=very-secret-token", port=9)

    channel = await added(monitor, shop, robot, "webhook")

    assert channel["secret"].startswith("whsec_")
    listed = await monitor.get(CHANNELS, shop.token())
    assert "very-secret" not in listed.text
    assert channel["secret"] not in listed.text
    assert listed.json()["items"][0]["secret"] is None
    ((sealed, audited),) = await rig.rows(
        "select sealed, (select string_agg(note, '') from audit where object_id = c.id)"
        " from channels c where shop_id = :shop",
        shop=shop.id,
    )
    assert b"very-secret" not in bytes(sealed)
    assert "very-secret" not in audited


@pytest.mark.parametrize(
    ("kind", "url", "reason"),
    [
        ("webhook", "https://10.0.0.1/", "address"),
        ("webhook", "https://localhost/", "not_a_name"),
        ("webhook", "http://hooks.example.com/", "not_https"),
        ("webhook", "https://me@hooks.example.com/", "userinfo"),
        ("dingtalk", "https://open.feishu.cn/robot", "not_of_this_kind"),
    ],
)
async def test_n41_an_address_that_nothing_may_be_sent_to_is_refused_when_it_is_saved(
    monitor: Monitor, kind: str, url: str, reason: str
) -> None:
    shop = await monitor.shop_at_noon()

    answer = await monitor.post(CHANNELS, manager(shop), {"name": "x", "kind": kind, "url": url})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "#/url", "detail": reason}]
    assert (await monitor.get(CHANNELS, shop.token())).json() == {"items": []}


async def test_n41_leaders_see_channels_managers_change_them_and_another_shop_has_none(
    monitor: Monitor,
) -> None:
    shop, other = await monitor.shop_at_noon(), await monitor.shop_at_noon()
    channel = await added(monitor, shop, ShopServer("webhook", port=9), "webhook")
    path = f"{CHANNELS}/{channel['id']}"

    new = {"name": "x", "kind": "webhook", "url": "https://hooks.example.com/"}
    assert (await monitor.post(CHANNELS, shop.token(), new)).status_code == 403
    assert (await monitor.get(CHANNELS, shop.token(Role.AGENT, "anne"))).status_code == 403
    assert (await monitor.get(f"{path}/deliveries", other.token())).status_code == 404
    for method, body in (("PATCH", {"on": False}), ("DELETE", None)):
        refused = await monitor.command(method, path, manager(other), body=body, version=1)
        assert refused.status_code == 404
    stale = await monitor.command("PATCH", path, manager(shop), body={"on": False}, version=7)
    assert stale.status_code == 412
    changed = await monitor.command("PATCH", path, manager(shop), body={"on": False}, version=1)
    assert (changed.json()["state"], changed.headers["etag"]) == ("off", '"2"')
    gone = await monitor.command("DELETE", path, manager(shop), version=2)
    assert gone.status_code == 200
    audit = (await monitor.get("/v1/audit/monitor", shop.token())).json()["items"]
    assert [one["action"] for one in audit] == [
        "channel_removed",
        "channel_changed",
        "channel_added",
    ]


async def test_n41_a_robot_that_takes_no_more_is_turned_off_and_the_others_say_so(
    monitor: Monitor,
) -> None:
    shop = await monitor.shop_at_noon()
    async with listening(WeCom(path="/send?key=gone")) as broken, listening(Feishu()) as other:
        channel = await added(monitor, shop, broken, "wecom")
        await added(monitor, shop, other, "feishu")

        done = await tried(monitor, shop, channel)
        await eventually(lambda: other.taken, what="the other channel is told")

    assert (done["state"], done["code"]) == ("failed", "93000")
    shown = (await monitor.get(CHANNELS, shop.token())).json()["items"][0]
    assert (shown["state"], shown["why"]) == ("broken", "93000")
    assert "告警通道已失效" in other.texts[0]


async def test_n41_a_channel_rests_for_as_long_as_its_robot_asks(monitor: Monitor) -> None:
    shop = await monitor.shop_at_noon()
    async with listening(DingTalk("SEC1")) as robot:
        channel = await added(monitor, shop, robot, "dingtalk")
        robot.answers.append((200, {"errcode": 130101}))
        await shop.held("滚")

        async def rests() -> Any:
            items = (await monitor.get(CHANNELS, shop.token())).json()["items"]
            return items[0]["rests_until"]

        assert await eventually(rests, what="the channel rests")
        (waits,) = await deliveries(monitor, shop, channel)

    assert (waits["state"], waits["code"], robot.taken) == ("pending", "130101", [])


@pytest.mark.heavy  # waits five seconds, as the schedule says
async def test_n41_after_an_unknown_outcome_it_comes_again_and_says_so(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    async with listening(WeCom(path="/send?key=k1")) as robot:
        channel = await added(monitor, shop, robot, "wecom")
        robot.answers.append((200, {"nothing": "that it knows"}))
        await shop.held("滚")

        done = await settled(monitor, shop, channel, "opened")

    assert (done["state"], done["attempts"]) == ("sent", 2)
    assert "第 2 次发送" in robot.texts[0]


async def test_n42_who_takes_over_counts_attempts_that_nobody_settled(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    async with listening(Feishu()) as slow:
        channel = await added(monitor, shop, slow, "feishu")
        slow.answers.extend([HANGS] * 9)
        await shop.held("滚")
        await eventually(lambda: slow.asked, what="an attempt that is under way", within=8)
        now_ms = SystemClock().now_ms()
        async with rig.database.read_across("a test") as session:
            lately = await repository.sent_lately(session, since_ms=now_ms - 60_000, now_ms=now_ms)

    assert [at_ms for channel_id, at_ms in lately if channel_id == channel["id"]] == [now_ms]


async def test_n42_a_robot_that_hangs_keeps_nobody_waiting(monitor: Monitor) -> None:
    shop = await monitor.shop_at_noon()
    async with listening(DingTalk()) as slow, listening(Feishu()) as quick:
        channel = await added(monitor, shop, slow, "dingtalk")
        await added(monitor, shop, quick, "feishu")
        slow.answers.extend([HANGS] * 9)
        await shop.held("滚")

        await eventually(lambda: quick.taken, what="the quick one is told", within=8)
        (waits,) = await deliveries(monitor, shop, channel)

    assert (waits["state"], len(quick.taken)) == ("pending", 1)


async def test_n41_no_buyer_and_no_word_of_a_chat_leaves_over_any_channel(
    rig: Rig, monitor: Monitor
) -> None:
    shop = await monitor.shop_at_noon()
    async with listening(DingTalk()) as robot, listening(ShopServer("webhook")) as server:
        await added(monitor, shop, robot, "dingtalk", names=True)
        robot_channel = await added(monitor, shop, server, "webhook")
        server.secret = robot_channel["secret"]
        await shop.held(f"滚 {CANARY}")
        chat = await shop.chat(start=await rig.now()).opened()
        await chat.agent(0, f"你是傻逼吗 {CANARY}")

        await eventually(
            lambda: len(robot.taken) >= 2 and len(server.taken) >= 2, what="both are told"
        )

    said = "".join(robot.texts + server.texts)
    assert "客服用语违规" in said
    for secret in (CANARY, "傻逼", "滚", chat.buyer_id):
        assert secret not in said
    stored = await rig.rows("select content::text from deliveries where shop_id = :s", s=shop.id)
    assert stored
    assert all(CANARY not in one and chat.buyer_id not in one for (one,) in stored)
