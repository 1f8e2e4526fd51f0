"""Rows 58 and 61: guessing passwords, and crowding others out."""

import asyncio
import time
import uuid
from collections import Counter

import httpx2
import pytest

from contracts.frames import CloseCode
from contracts.people import Role
from tests.attacks.attacker import Attacker, is_problem
from tests.attacks.cast import Cast
from tests.platform import Platform
from tests.world import World

pytestmark = pytest.mark.journey

WRONG = "these words are wrong"

ALLOWED = 10
"""Wrong words of one login from one address within five minutes."""


async def a_login(world: World, cast: Cast) -> tuple[str, str]:
    """Hire somebody; return login and password."""
    login, password = f"agent.{uuid.uuid4()}", str(uuid.uuid4())
    body = {"login": login, "password": password, "name": "小陈", "role": "agent"}
    await cast.ours.shop(world).boss.call("POST", "/v1/staff", body)
    return login, password


async def guess(attacker: Attacker, login: str, password: str = WRONG) -> httpx2.Response:
    """Try a password."""
    body = {"login": login, "password": password}
    return await attacker.ask("POST", "/v1/sessions", json=body)


async def test_attack_61_guessing_is_stopped_and_others_sign_in_meanwhile(
    attacker: Attacker, cast: Cast, world: World, platform: Platform
) -> None:
    login, _ = await a_login(world, cast)
    colleague = await a_login(world, cast)
    answers = [await guess(attacker, login) for _ in range(ALLOWED + 2)]
    assert Counter(answer.status_code for answer in answers) == {401: ALLOWED, 429: 2}
    is_problem(answers[-1], 429)
    assert int(answers[-1].headers["retry-after"]) >= 1
    elsewhere = Attacker(platform.url)
    assert (await guess(elsewhere, *colleague)).status_code == 201
    await elsewhere.close()


async def test_attack_61_who_has_no_account_gets_the_same_words(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    login, _ = await a_login(world, cast)
    answers = [await guess(attacker, name) for name in (login, f"nobody.{uuid.uuid4()}")]
    for answer in answers:
        is_problem(answer, 401, "wrong_login")
    known, unknown = (
        {k: v for k, v in answer.json().items() if k != "trace_id"} for answer in answers
    )
    assert known == unknown


async def test_attack_61_odd_logins_are_refused_like_any_other(attacker: Attacker) -> None:
    for login in ("admin' --", "a" * 120, "Ａｄｍｉｎ", "admin\u200b", "*", "%", "(cn=*)"):
        is_problem(await guess(attacker, login), 401, "wrong_login")
    for login, password in (("a" * 121, "x"), ("", "x"), ("x", ""), ("x", "x" * 1_025)):
        is_problem(await guess(attacker, login, password), 422)


async def test_attack_58_a_buyer_who_floods_is_closed_and_others_are_served(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    shop = cast.ours.shop(world)
    flooder, honest = await world.visitor(shop), await world.visitor(shop)
    talks = [
        str((await one.call("POST", "/v1/conversations", {}))["id"]) for one in (flooder, honest)
    ]
    phones = [await attacker.phone(one.session.token) for one in (flooder, honest)]
    for phone, talk in zip(phones, talks, strict=True):
        phone.say(t="sub", id="s", s=f"conv:{talk}")
        assert await phone.code("s") is None

    for number in range(200):
        phones[0].message(f"conv:{talks[0]}", "x", id=f"flood-{number:04}")
    begun = time.monotonic()
    phones[1].message(f"conv:{talks[1]}", "在吗", id="honest-01")
    assert await phones[1].code("honest-01") is None
    assert time.monotonic() - begun < 2
    assert await phones[0].close_code() == CloseCode.RATE
    taken = [one for one in phones[0].frames if one["t"] == "ok"]
    assert len(taken) <= 45


async def test_attack_58_a_buyer_has_one_open_conversation_however_often_he_asks(
    attacker: Attacker, cast: Cast, world: World
) -> None:
    buyer = await world.visitor(cast.ours.shop(world))
    asked = (
        attacker.ask("POST", "/v1/conversations", token=buyer.session.token, json={})
        for _ in range(40)
    )
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} <= {201, 409, 429, 503}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    token = cast.ours.token(Role.SUPERVISOR)
    assert (await attacker.ask("GET", "/v1/conversations", token=token)).status_code == 200
