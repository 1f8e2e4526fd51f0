"""Rows 25, 37, 38, 41, 49 and 53 on REST: bodies, queries and texts that want too much."""

import asyncio
import json
import time
import uuid
from functools import partial
from typing import Any

import pytest

from contracts.people import Role
from kit.web.edge import QUERY_LIMIT
from tests.attacks.attacker import Attacker, is_problem, shows_nothing
from tests.attacks.cast import AUDITS, Cast
from tests.attacks.costs import costs_less
from tests.integration.gateway.phone import Phone
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import World

pytestmark = pytest.mark.journey

AT_ONCE_S = 1.0
"""Of CPU: far above what a refusal may cost, far below what a quadratic reader or a sleep needs."""

JSON = {"Content-Type": "application/json"}
ABSENT = "00000000-0000-7000-8000-000000000000"

MONSTERS = (
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b"[" + b"[]," * 300_000 + b"1]",
    b'{"amount_fen":1e308999}',
    b'{"amount_fen":' + b"9" * 100_000 + b"}",
    b'{"amount_fen":NaN}',
    b'{"amount_fen":-Infinity}',
    b'{"kind":"refund","kind":"refund"}',
    b'{"__proto__":{"role":"admin"}}',
    b'{"constructor":{"prototype":{}}}',
    b"",
    b"\xff\xfe{\x00}\x00",
    b'{"a":"\xff"}',
    b"null",
    b'"x"',
    b"1",
    b'{"buyer_reason":"\\ud800"}',
)


async def test_attack_25_monstrous_bodies_are_refused_at_once(
    attacker: Attacker, cast: Cast, platform: Platform
) -> None:
    token = cast.ours.token(Role.AFTERSALES)

    async def send(body: bytes) -> None:
        answer = await attacker.ask("POST", "/v1/cases", token=token, content=body, headers=JSON)
        is_problem(answer, {400, 413, 422})

    for body in MONSTERS:
        sends = partial(send, body)
        assert await costs_less(AT_ONCE_S, sends, platform, "gateway", "aftersales"), body[:60]


SLEPT_S = 5

INJECTIONS = (
    "1;--",
    "') OR 1=1 --",
    "' OR '1'='1",
    f"pg_sleep({SLEPT_S})",
    f"1; select pg_sleep({SLEPT_S})",
    "${jndi:ldap://127.0.0.1/x}",
    "{{7*7}}",
    "../../etc/passwd",
    "%_%_%_%",
    "\\",
    "开",
)


async def test_attack_37_sql_in_a_filter_is_a_value_that_is_refused(
    attacker: Attacker, cast: Cast
) -> None:
    token = cast.ours.token(Role.SUPERVISOR)
    shop = cast.ours.id
    filters = [
        ("/v1/conversations", ("state", "agent_id", "cursor", "limit")),
        (f"/v1/conversations/{cast.ours.conversation}/messages", ("order", "cursor", "limit")),
        ("/v1/orders", ("state", "cursor", "limit")),
        ("/v1/cases", ("state", "cursor", "limit")),
        ("/v1/work-items", ("state", "cursor", "limit")),
        ("/v1/staff", ("cursor", "limit")),
        *((path, ("cursor", "limit")) for path in AUDITS),
        (f"/v1/monitor/flags?shop={shop}", ("cursor", "limit")),
        (f"/v1/monitor/figures?shop={shop}&profile=qiyu", ("from", "to", "by")),
    ]
    for path, names in filters:
        begun = time.monotonic()
        answers = await asyncio.gather(
            *(
                attacker.ask("GET", path, token=token, params=_params(path) | {name: value})
                for name in names
                for value in INJECTIONS
            )
        )
        for answer in answers:
            is_problem(answer, 422)
        assert time.monotonic() - begun < len(answers) * SLEPT_S / 2
    for value in INJECTIONS:
        for path in ("/v1/orders", "/v1/cases"):
            name = "external_id" if path.endswith("orders") else "order_id"
            answer = await attacker.ask("GET", path, token=token, params={name: value})
            assert answer.status_code in {200, 422}
            assert not answer.json().get("items")


async def test_attack_38_a_query_over_its_limit_is_refused(attacker: Attacker, cast: Cast) -> None:
    token = cast.ours.token(Role.SUPERVISOR)
    for query in ("a=" + "x" * 10_240, "&".join(f"a{n}=1" for n in range(3_000))):
        assert len(query) > QUERY_LIMIT
        is_problem(await attacker.ask("GET", f"/v1/orders?{query}", token=token), 422)
    for query in ("external_id=" + "%25_" * 300, "cursor=" + "x" * 2_000):
        is_problem(await attacker.ask("GET", f"/v1/orders?{query}", token=token), 422)
    for query in ("state=%00", "state=%ff", "state=%ed%a0%80", "state=paid&state=closed"):
        answer = await attacker.ask("GET", f"/v1/orders?{query}", token=token)
        assert answer.status_code in {200, 422}
        shows_nothing(answer.content)


STORED = {
    "right-to-left": "\u202e\u2066abc\u2069",
    "marks": "e" + "\u0301" * 1_500,
    "noncharacters": "\ufffe\uffff\U0001fffe",
    "controls": "\x01\x02\x1b[31m\x7f\x85",
    "line ends": "a\r\nb\u2028c",
    "joined": "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "formula": "=cmd|' /C calc'!A0",
    "placeholder": "%s %(x)s {0} ${x} {{x}}",
}
REFUSED = ('"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udfff x"', '"\\ud800\\ud800"', '""')


async def test_attack_41_text_is_stored_as_it_is_or_refused(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    buyer = await world.visitor(cast.ours.shop(world))
    talk = (await buyer.call("POST", "/v1/conversations", {}))["id"]
    phone = await attacker.phone(buyer.session.token)
    phone.say(t="sub", id="s", s=f"conv:{talk}")
    assert await phone.code("s") is None
    for number, text in enumerate(REFUSED):
        frame_id = f"refused-{number}"
        phone.text(
            f'{{"t":"send","id":"{frame_id}","s":"conv:{talk}","kind":"text","d":{{"text":{text}}}}}'
        )
        assert await phone.code(frame_id) in {"bad_text", "bad_frame"}
    for number, text in enumerate(STORED.values()):
        phone.message(f"conv:{talk}", text, id=f"stored-{number}")
        assert await phone.code(f"stored-{number}") is None, text

    path = f"/v1/conversations/{talk}/messages?order=asc"

    async def history() -> list[str]:
        answer = await attacker.ask("GET", path, token=buyer.session.token)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        items = answer.json()["items"]
        texts = [one["d"]["d"]["text"] for one in items if one["type"] == "chat.message.v1"]
        return texts if len(texts) == len(STORED) else []

    wanted = list(STORED.values())
    assert await eventually(history, what="the archive") == wanted
    assert _texts(phone, talk) == wanted


async def test_attack_41_what_cannot_be_stored_is_refused_on_every_route_that_takes_text(
    attacker: Attacker, cast: Cast
) -> None:
    ours, talk = cast.ours, f"/v1/conversations/{cast.ours.conversation}"
    bodies: list[tuple[Role, str, str, dict[str, Any]]] = [
        (Role.SUPERVISOR, "POST", f"{talk}/transfer", {"to_group": "pre_sale", "note": "BAD"}),
        (Role.SUPERVISOR, "POST", f"{talk}/close", {"reason": "BAD"}),
        (Role.BUYER, "POST", "/v1/conversations", {"product": "BAD"}),
        (Role.ADMIN, "POST", "/v1/skill-groups", {"code": "abc", "name": "BAD"}),
        (Role.ADMIN, "PUT", f"/v1/shops/{ours.id}/wording-policy", {"wording_terms": ["BAD"]}),
        (Role.ADMIN, "PUT", f"/v1/shops/{ours.id}/wording-policy", {"allow_spans": ["BAD"]}),
        (Role.AFTERSALES, "POST", "/v1/cases", {"buyer_reason": "BAD"}),
        (Role.ADMIN, "PATCH", f"/v1/staff/{ours.people[Role.AGENT]}", {"name": "BAD"}),
        (Role.ADMIN, "POST", "/v1/sessions", {"login": "BAD", "password": "BAD"}),
        (Role.ADMIN, "POST", "/v1/sessions/visitor", {"shop_id": "BAD", "name": "BAD"}),
    ]
    for role, method, path, body in bodies:
        for bad in ("\\u0000", "x\\u0000", "\\ud800", "\\udc00x"):
            content = json.dumps(body).replace("BAD", bad).encode()
            answer = await attacker.ask(
                method, path, token=ours.token(role), content=content, headers=JSON
            )
            is_problem(answer, 422)


SMUGGLED: dict[str, Any] = {
    "role": "admin",
    "tenant_id": "x",
    "shop_id": "x",
    "price": 1,
    "refund_amount": 1,
    "seq": 1,
    "version": 99,
    "created_at": "2026-01-01T00:00:00Z",
    "state": "refunded",
    "id": "x",
    "is_admin": True,
    "__class__": "x",
}


async def test_attack_49_a_field_that_is_not_asked_for_is_refused(
    attacker: Attacker, cast: Cast
) -> None:
    ours, talk = cast.ours, f"/v1/conversations/{cast.ours.conversation}"
    login = f"x.{uuid.uuid4()}"
    staff = {"login": login, "password": "x" * 12, "name": "x", "role": "agent"}
    refund = {"order_id": "x", "kind": "refund", "amount_fen": 1, "buyer_reason": "x"}
    bodies: list[tuple[Role, str, str, dict[str, Any]]] = [
        (Role.BUYER, "POST", "/v1/conversations", {}),
        (Role.SUPERVISOR, "POST", f"{talk}/transfer", {"to_group": "pre_sale", "note": "x"}),
        (Role.SUPERVISOR, "POST", f"{talk}/close", {"reason": "x"}),
        (Role.BUYER, "POST", f"{talk}/rating", {"score": 5}),
        (Role.ADMIN, "POST", "/v1/staff", staff),
        (Role.ADMIN, "PATCH", f"/v1/staff/{ABSENT}", {"capacity": 1, "role": "agent"}),
        (Role.ADMIN, "PUT", f"/v1/shops/{ours.id}/wording-policy", {}),
        (Role.AGENT, "PUT", "/v1/agents/me/state", {"state": "offline"}),
        (Role.AFTERSALES, "POST", "/v1/cases", refund),
        (Role.AFTERSALES, "POST", "/v1/cases/x/review", {"decision": "approve", "note": "x"}),
        (Role.AFTERSALES, "POST", "/v1/cases/x/refund", {}),
        (Role.CLERK, "POST", "/v1/orders/x/print", {}),
        (Role.CLERK, "POST", "/v1/orders/x/remarks", {"text": "x"}),
        (Role.ADMIN, "POST", "/v1/sessions", {"login": login, "password": "x"}),
        (Role.ADMIN, "POST", "/v1/sessions/visitor", {"shop_id": ours.id}),
    ]
    for role, method, path, body in bodies:
        for name, value in SMUGGLED.items():
            if name in body:
                continue
            answer = await attacker.ask(
                method,
                path,
                token=ours.token(role),
                json=body | {name: value},
                headers={"If-Match": '"1"'},
            )
            is_problem(answer, 422)


async def test_attack_53_limits_and_cursors_that_were_not_given_out_are_refused(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    shop = cast.ours.shop(world)
    for _ in range(2):
        guest = await world.visitor(shop)
        await guest.call("POST", "/v1/conversations", {})
    token = cast.ours.token(Role.SUPERVISOR)
    page = await attacker.ask("GET", "/v1/conversations?limit=1", token=token)
    cursor = page.json()["next_cursor"]
    following = {"limit": "1", "cursor": cursor}
    assert (
        await attacker.ask("GET", "/v1/conversations", token=token, params=following)
    ).status_code == 200
    flipped = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    lists = ("/v1/conversations", "/v1/orders", "/v1/cases", "/v1/work-items", "/v1/staff")
    for path in (*lists, *AUDITS):
        for limit in ("1000000000", "-1", "0", "1.5", "x", "", "1e2", "201", "٣", "9" * 400):
            answer = await attacker.ask("GET", path, token=token, params={"limit": limit})
            is_problem(answer, 422)
        for bad in (flipped, cursor[:-2], cursor + "AAAA", "", "x", "é", "a" * 1_024, "a" * 1_025):
            answer = await attacker.ask("GET", path, token=token, params={"cursor": bad})
            is_problem(answer, 422)
        if path != "/v1/conversations":
            answer = await attacker.ask("GET", path, token=token, params={"cursor": cursor})
            is_problem(answer, 422, "bad_cursor")
    answer = await attacker.ask(
        "GET", "/v1/conversations", token=cast.theirs.token(Role.SUPERVISOR), params=following
    )
    is_problem(answer, 422, "bad_cursor")


def _params(path: str) -> dict[str, str]:
    return {} if "figures" not in path else {"from": "2026-11-11", "to": "2026-11-12"}


def _texts(phone: Phone, talk: str) -> list[str]:
    return phone.texts(f"conv:{talk}")
