"""Rows 1, 2, 3, 5, 7, 35 and 65: what belongs to another shop, another buyer, or to nobody."""

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.people import PLATFORM, Role
from contracts.visibility import HIDDEN_FROM_BUYERS
from kit.ids import derived_id
from tests.attacks import watching
from tests.attacks.attacker import Attacker, is_problem
from tests.attacks.cast import AUDITS, Cast
from tests.attacks.forging import Forger
from tests.intake import PAID_FEN, a_paid_order, delivery, placed, signed
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import Person, World

pytestmark = pytest.mark.journey

ABSENT = "00000000-0000-7000-8000-000000000000"
ROOMS = ("conversations", "orders", "cases")


async def a_case(world: World, cast: Cast, attacker: Attacker) -> tuple[str, str]:
    """Let our buyer `tb-lin` ask for a refund; return the order's id and the case's."""
    shop = cast.ours.shop(world)
    order = await a_paid_order(world, shop)
    wanted = {"order_id": order, "kind": "refund", "amount_fen": 100, "buyer_reason": "尺码不合"}

    async def asked() -> str | None:
        token = cast.ours.token(Role.AFTERSALES)
        answer = await attacker.ask("POST", "/v1/cases", token=token, json=wanted)
        assert answer.status_code in {201, 404}, answer.text
        return str(answer.json()["id"]) if answer.status_code == 201 else None

    case = await eventually(asked, what="the payment in aftersales")
    assert case is not None
    return order, case


def attempts(conversation: str, order: str, case: str) -> list[tuple[str, str, Any]]:
    """Return every request that names a conversation, an order or a case."""
    at, order_at, case_at = (
        f"/v1/conversations/{conversation}",
        f"/v1/orders/{order}",
        f"/v1/cases/{case}",
    )
    return [
        ("GET", at, None),
        ("GET", f"{at}/messages", None),
        ("GET", f"{at}/decisions", None),
        ("POST", f"{at}/transfer", {"to_group": "pre_sale", "note": "x"}),
        ("POST", f"{at}/stage", {"stage": "verify"}),
        ("POST", f"{at}/close", {"reason": "x"}),
        ("POST", f"{at}/reopen", None),
        ("GET", order_at, None),
        ("GET", f"{order_at}/remarks", None),
        ("GET", f"{order_at}/interlocks", None),
        ("POST", f"{order_at}/remarks", {"text": "x"}),
        ("POST", f"{order_at}/address-verification", {"result": "verified"}),
        ("POST", f"{order_at}/print", {}),
        ("POST", f"{order_at}/close", {"reason": "x"}),
        ("POST", f"{order_at}/reveal", {"reason": "x"}),
        ("GET", case_at, None),
        ("POST", f"{case_at}/review", {"decision": "approve", "note": "x"}),
        ("POST", f"{case_at}/refund", {}),
    ]


async def test_attack_01_another_shops_things_are_not_there_and_the_try_is_written_down(
    attacker: Attacker, cast: Cast, world: World, platform: Platform
) -> None:
    order, case = await a_case(world, cast, attacker)
    ours = cast.ours
    thief = cast.theirs.token(Role.SUPERVISOR)
    for method, path, body in attempts(ours.conversation, order, case):
        request = {} if body is None else {"json": body}
        headers = {"If-Match": '"1"'}
        foreign = await attacker.ask(method, path, token=thief, headers=headers, **request)
        is_problem(foreign, 404)
        absent = path.replace(ours.conversation, ABSENT).replace(order, ABSENT)
        absent = absent.replace(case, ABSENT)
        nothing = await attacker.ask(method, absent, token=thief, headers=headers, **request)
        same = [
            {k: v for k, v in one.json().items() if k != "trace_id"} for one in (foreign, nothing)
        ]
        assert same[0] == same[1], path

    who = cast.theirs.people[Role.SUPERVISOR]
    for schema, named in (
        ("conversation", ours.conversation),
        ("orders", order),
        ("aftersales", case),
    ):
        found = await watching.rows(
            platform,
            f"select * from {schema}.audit where actor_id = $1 and object_id = $2",
            who,
            named,
        )
        assert found, f"{schema} has no audit row"
        assert {row["action"] for row in found} <= {"refused", "refused_other_shop"}


async def test_attack_01_another_shops_people_secrets_and_figures_are_not_there(
    attacker: Attacker, cast: Cast
) -> None:
    ours, theirs = cast.ours, cast.theirs
    agent = ours.people[Role.AGENT]
    wanted: list[tuple[str, str, Any]] = [
        ("GET", f"/v1/shops/{ours.id}", None),
        ("GET", f"/v1/shops/{ours.id}/secret", None),
        ("POST", f"/v1/shops/{ours.id}/secret-rotations", {}),
        ("PUT", f"/v1/shops/{ours.id}/wording-policy", {}),
        ("GET", f"/v1/shops/{ours.id}/timing", None),
        ("PATCH", f"/v1/shops/{ours.id}/timing", {}),
        ("GET", f"/v1/intake/{ours.id}/secret", None),
        ("PATCH", f"/v1/staff/{agent}", {"active": False}),
        ("GET", f"/v1/monitor/board?shop={ours.id}", None),
        ("GET", f"/v1/monitor/flags?shop={ours.id}", None),
        ("GET", f"/v1/monitor/incidents?shop={ours.id}", None),
        ("GET", f"/v1/monitor/waiting?shop={ours.id}", None),
        ("POST", f"/v1/monitor/alerts/{ABSENT}/acknowledge", {"verdict": "handled"}),
        ("POST", f"/v1/monitor/incidents/{ABSENT}/feedback", {"verdict": "handled"}),
        ("POST", f"/v1/monitor/flags/{ABSENT}/feedback", {"verdict": "handled"}),
        ("GET", f"/v1/monitor/curve?shop={ours.id}", None),
        ("GET", f"/v1/monitor/waits?shop={ours.id}&from=2026-11-11&to=2026-11-12", None),
        ("GET", f"/v1/monitor/wording?shop={ours.id}&from=2026-11-11&to=2026-11-12", None),
        ("GET", f"/v1/monitor/hours?shop={ours.id}&from=2026-11-11&to=2026-11-12", None),
        (
            "GET",
            f"/v1/monitor/figures?shop={ours.id}&profile=qiyu&from=2026-11-11&to=2026-11-12",
            None,
        ),
    ]
    for method, path, body in wanted:
        request = {} if body is None else {"json": body}
        answer = await attacker.ask(method, path, token=theirs.token(Role.ADMIN), **request)
        is_problem(answer, 404)
    boss = theirs.token(Role.SUPERVISOR)
    path = f"/v1/agents/{agent}/state"
    is_problem(await attacker.ask("PUT", path, token=boss, json={"state": "offline"}), 404)
    path = f"/v1/conversations?agent_id={agent}"
    assert (await attacker.ask("GET", path, token=boss)).json()["items"] == []


async def test_attack_02_a_buyer_reads_no_other_buyers_things(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    order, case = await a_case(world, cast, attacker)
    thief = await world.visitor(cast.ours.shop(world))
    for method, path, body in attempts(cast.ours.conversation, order, case):
        request = {} if body is None else {"json": body}
        answer = await attacker.ask(
            method, path, token=thief.session.token, headers={"If-Match": '"1"'}, **request
        )
        is_problem(answer, {403, 404})
        if path.endswith((cast.ours.conversation, order, case, "/messages")):
            is_problem(answer, 404)
    for path in ("/v1/conversations", "/v1/orders", "/v1/cases"):
        for query in ("", "?state=closed", "?limit=200"):
            found = await attacker.ask("GET", path + query, token=thief.session.token)
            assert found.status_code in {200, 422}
            assert not found.json().get("items")


async def test_attack_03_nothing_is_made_from_another_shops_ids(
    attacker: Attacker, cast: Cast, world: World, platform: Platform
) -> None:
    order, case = await a_case(world, cast, attacker)
    refund = {"order_id": order, "kind": "refund", "amount_fen": 1, "buyer_reason": "x"}
    guest = await world.visitor(cast.theirs.shop(world))
    for token in (guest.session.token, cast.theirs.token(Role.AGENT)):
        is_problem(await attacker.ask("POST", "/v1/cases", token=token, json=refund), 404)
    for query in (f"?order_id={order}", f"?order_id={case}"):
        found = await attacker.ask("GET", "/v1/cases" + query, token=cast.theirs.token(Role.AGENT))
        assert found.json()["items"] == []

    answer = await attacker.ask(
        "POST", "/v1/conversations", token=guest.session.token, json={"order_id": order}
    )
    assert answer.status_code in {201, 404, 422}
    talk = answer.json().get("id", ABSENT)
    shown = await attacker.ask("GET", f"/v1/conversations/{talk}", token=guest.session.token)
    assert "13800138000" not in shown.text
    assert "林女士" not in shown.text

    theirs = cast.theirs.shop(world)
    secret = (await theirs.boss.call("GET", f"/v1/intake/{theirs.id}/secret"))["secret"]
    body = delivery("order.placed", placed())
    headers = signed(secret, f"msg_{uuid.uuid4()}", datetime.now(UTC), body)
    path = f"/v1/intake/{cast.ours.id}/orders"
    is_problem(await attacker.ask("POST", path, content=body, headers=headers), 401)
    made = await watching.rows(
        platform, "select count(*) from aftersales.cases where order_id = $1", order
    )
    assert made[0]["count"] == 1


async def test_attack_05_guessing_ids_is_slowed_down(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    thief = await world.staff(cast.theirs.shop(world), Role.AGENT)
    for room in ROOMS:
        answers = await asyncio.gather(
            *(
                attacker.ask("GET", f"/v1/{room}/{uuid.uuid4()}", token=thief.session.token)
                for _ in range(150)
            )
        )
        assert {answer.status_code for answer in answers} == {404, 429}, room
        refused = next(answer for answer in answers if answer.status_code == 429)
        is_problem(refused, 429)
        assert int(refused.headers["retry-after"]) >= 1
    honest = await attacker.ask("GET", "/v1/conversations", token=cast.theirs.token(Role.AGENT))
    assert honest.status_code == 200


async def test_attack_07_what_rest_hides_from_a_buyer_no_socket_shows(
    attacker: Attacker, world: World
) -> None:
    shop = await world.shop()
    first, buyer = await world.agent(shop), await world.buyer(shop)
    talk = await world.talk(buyer, first)
    second = await world.agent(shop)
    await buyer.say(talk, "在吗")
    await first.call(
        "POST", f"/v1/conversations/{talk}/transfer", {"to_agent": second.id, "note": "机密备注"}
    )
    await buyer.event(lambda frame: frame.type == "conversation.transferred.v1")
    await second.call("POST", f"/v1/conversations/{talk}/close", {"reason": "内部原因"})
    await buyer.event(lambda frame: frame.type == "conversation.closed.v1")

    async def stored() -> list[dict[str, Any]]:
        path = f"/v1/conversations/{talk}/messages?order=asc&limit=200"
        items = (await attacker.ask("GET", path, token=buyer.session.token)).json()["items"]
        return items if any(one["type"] == "conversation.closed.v1" for one in items) else []

    rest = {item["id"]: item["d"] for item in await eventually(stored, what="the close stored")}
    live = await attacker.phone(buyer.session.token)
    live.say(t="sub", id="s", s=f"conv:{talk}")
    assert await live.code("s") is None
    snapshot = (await live.of("snap", s=f"conv:{talk}"))["d"]["items"]
    assert {item["id"]: item["d"] for item in snapshot} == rest
    assert {frame.id: frame.d for frame in buyer.events if frame.id in rest} == rest
    for item in snapshot:
        assert not HIDDEN_FROM_BUYERS.get(item["type"], frozenset()) & set(item["d"])
    everything = json.dumps(snapshot, ensure_ascii=False) + json.dumps(rest, ensure_ascii=False)
    assert "机密备注" not in everything
    assert "内部原因" not in everything


async def test_attack_07_an_agent_who_does_not_work_on_it_sees_an_address_masked_everywhere(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    order, _ = await a_case(world, cast, attacker)
    for role in (Role.AGENT, Role.SUPERVISOR, Role.ADMIN, Role.CLERK):
        token = cast.ours.token(role)
        for path in (f"/v1/orders/{order}", "/v1/orders?limit=200", "/v1/cases?limit=200"):
            answer = await attacker.ask("GET", path, token=token)
            assert answer.status_code in {200, 403}
            assert "13800138000" not in answer.text
            assert "文三路" not in answer.text
            assert "林女士" not in answer.text


async def test_attack_35_another_shops_key_is_another_key(attacker: Attacker, cast: Cast) -> None:
    headers = {"Idempotency-Key": f"shared-{uuid.uuid4()}"}
    body = {"code": f"g{uuid.uuid4().hex[:12]}", "name": "组"}
    answers = [
        await attacker.ask(
            "POST", "/v1/skill-groups", token=house.token(Role.ADMIN), json=body, headers=headers
        )
        for house in (cast.ours, cast.theirs)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert not any("idempotent-replayed" in answer.headers for answer in answers)


async def test_attack_65_nobody_watches_or_takes_home_more_than_his_role_gives(
    attacker: Attacker, cast: Cast
) -> None:
    phone = await attacker.phone(cast.theirs.token(Role.SUPERVISOR))
    phone.say(t="sub", id="s", s=f"conv:{cast.ours.conversation}")
    assert await phone.code("s") == "forbidden"
    shop = cast.ours.id
    forbidden = [
        "/v1/staff",
        f"/v1/monitor/board?shop={shop}",
        f"/v1/monitor/flags?shop={shop}",
        f"/v1/monitor/incidents?shop={shop}",
        f"/v1/monitor/waiting?shop={shop}",
        "/v1/monitor/alerts",
        f"/v1/monitor/curve?shop={shop}",
        f"/v1/monitor/waits?shop={shop}&from=2026-11-11&to=2026-11-12",
        f"/v1/monitor/wording?shop={shop}&from=2026-11-11&to=2026-11-12",
        f"/v1/monitor/hours?shop={shop}&from=2026-11-11&to=2026-11-12",
        f"/v1/intake/{shop}/secret",
        f"/v1/shops/{shop}/secret",
        *AUDITS,
    ]
    for path in forbidden:
        is_problem(await attacker.ask("GET", path, token=cast.ours.token(Role.AGENT)), 403)
    opinion = {"verdict": "handled"}
    acknowledge = f"/v1/monitor/alerts/{ABSENT}/acknowledge"
    for role, status in ((Role.AGENT, 403), (Role.SUPERVISOR, 404)):
        token = cast.ours.token(role)
        is_problem(await attacker.ask("POST", acknowledge, token=token, json=opinion), status)


async def test_attack_65_an_agent_is_shown_his_own_figures_alone(
    attacker: Attacker, world: World
) -> None:
    shop = await world.shop()
    agents = []
    for _ in range(2):
        agent, buyer = await world.agent(shop), await world.buyer(shop)
        talk = await world.talk(buyer, agent)  # the newest agent has the fewest
        await buyer.say(talk, "在吗")
        await agent.sees("在吗")
        await agent.say(talk, "在的")
        agents.append(agent)
    now = datetime.now(UTC)
    hours = {
        "from": f"{now - timedelta(hours=1):%FT%TZ}",
        "to": f"{now + timedelta(hours=1):%FT%TZ}",
    }

    async def shown(to: Person, *, by: str = "agent") -> set[str]:
        query = {"shop": shop.id, "profile": "qiyu", "by": by} | hours
        path, token = "/v1/monitor/figures", to.session.token
        answer = await attacker.ask("GET", path, token=token, params=query)
        assert answer.status_code == 200, answer.text
        return {row["agent_id"] for row in answer.json()["rows"]}

    async def counted() -> bool:
        return await shown(shop.boss) == {agent.id for agent in agents}

    await eventually(counted, what="the figures of both")
    for agent in agents:
        for by in ("agent", "shop"):
            assert await shown(agent, by=by) == {agent.id}


async def test_a_buyer_whom_his_shop_names_is_the_one_its_platform_knows(
    attacker: Attacker, cast: Cast, world: World, platform: Platform
) -> None:
    order = await a_paid_order(world, cast.ours.shop(world), buyer="tb-attack")
    mine = Forger.at(
        platform,
        sub=derived_id("buyer", cast.ours.id, "tb-attack"),
        role="buyer",
        shop=cast.ours.id,
    )
    found = await attacker.ask("GET", f"/v1/orders/{order}", token=mine.token())
    assert (found.status_code, found.json()["paid_fen"]) == (200, PAID_FEN)
    moved = mine.token(shop=cast.theirs.id)
    is_problem(await attacker.ask("GET", f"/v1/orders/{order}", token=moved), 404)


async def test_the_platform_is_no_shop_to_come_in_by(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    came = await attacker.ask(
        "POST", "/v1/sessions/visitor", json={"shop_id": PLATFORM, "name": "x"}
    )
    assert came.status_code == 404

    admin = world.admin.token
    for role in (Role.AGENT, Role.SENIOR, Role.SUPERVISOR):
        login = {"login": f"{role}.{uuid.uuid4()}", "password": str(uuid.uuid4())}
        hired = await attacker.ask(
            "POST",
            "/v1/staff",
            token=admin,
            json={**login, "name": "x", "role": role},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        assert hired.status_code == 422, hired.text
    read = await attacker.ask("GET", f"/v1/shops/{cast.ours.id}", token=admin)
    assert read.status_code == 200
