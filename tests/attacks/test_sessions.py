"""Rows 8, 9, 11 and 70: sessions that end while sockets are open, and clients that come twice."""

import asyncio
import time
import uuid

import pytest

from contracts.frames import CloseCode
from contracts.people import Role
from rehearsal.api import Session
from tests.attacks.attacker import Attacker, is_problem
from tests.attacks.cast import Cast
from tests.attacks.forging import Forger
from tests.integration.gateway.phone import Phone
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import Person, World

pytestmark = pytest.mark.journey

WITHIN_S = 5.0
"""Whose rights end, his sockets end within this time."""


async def are_closed(phones: list[Phone], code: int) -> None:
    """Assert that every socket is closed in time, with this code."""
    begun = time.monotonic()
    assert [await phone.close_code(WITHIN_S) for phone in phones] == [code] * len(phones)
    assert time.monotonic() - begun < WITHIN_S


async def is_out(attacker: Attacker, token: str) -> None:
    """Assert that a token is worth nothing any more: on REST, on a new socket."""

    async def refused() -> bool:
        return (await attacker.ask("GET", "/v1/inbox", token=token)).status_code == 401

    await eventually(refused, within=WITHIN_S, what="401 for a withdrawn token")
    phone = await attacker.dial()
    phone.say(t="hello", v=1, token=token)
    assert await phone.close_code() == CloseCode.BAD_TOKEN


async def test_attack_08_a_lowered_role_or_a_dismissal_closes_open_sockets(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    shop = cast.ours.shop(world)
    lowered = await world.staff(shop, Role.SUPERVISOR)
    fired = await world.staff(shop, Role.AGENT)
    stays = await world.staff(shop, Role.AGENT)
    sockets = {one.id: [await _follows(attacker, one)] for one in (lowered, fired, stays)}

    await shop.boss.call("PATCH", f"/v1/staff/{lowered.id}", {"role": "agent"})
    await shop.boss.call("PATCH", f"/v1/staff/{fired.id}", {"active": False})

    await are_closed(sockets[lowered.id] + sockets[fired.id], CloseCode.REVOKED)
    await is_out(attacker, lowered.session.token)
    await is_out(attacker, fired.session.token)
    for session in (lowered.session, fired.session):
        await _cannot_refresh(attacker, session)
    [lively] = sockets[stays.id]
    lively.say(t="ping", ts=1)
    await lively.of("pong")


async def test_attack_09_logout_and_a_new_password_close_all_three_sockets(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    shop = cast.ours.shop(world)
    leaver, reset = await world.staff(shop, Role.AGENT), await world.staff(shop, Role.AGENT)
    guest = await world.visitor(shop)
    sockets = {
        one.id: [await attacker.phone(one.session.token) for _ in range(3)]
        for one in (leaver, reset, guest)
    }

    for one in (leaver, guest):
        answer = await attacker.ask("DELETE", "/v1/sessions", token=one.session.token)
        assert answer.status_code == 200
    await shop.boss.call("PATCH", f"/v1/staff/{reset.id}", {"password": str(uuid.uuid4())})

    for one in (leaver, reset, guest):
        await are_closed(sockets[one.id], CloseCode.REVOKED)
        await is_out(attacker, one.session.token)
        await _cannot_refresh(attacker, one.session)


async def test_attack_09_one_session_that_is_ended_closes_its_sockets_and_every_door(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    shop = cast.ours.shop(world)
    login = {"login": f"lost.{uuid.uuid4()}", "password": str(uuid.uuid4())}
    await shop.boss.call("POST", "/v1/staff", {**login, "name": "小陈", "role": "agent"})
    here, lost = [await world.api.sign_in(login["login"], login["password"]) for _ in range(2)]
    stays, gone = [await attacker.phone(one.token) for one in (here, lost)]
    listed = (await attacker.ask("GET", "/v1/sessions", token=here.token)).json()["items"]
    [sid] = [one["sid"] for one in listed if not one["current"]]

    answer = await attacker.ask("DELETE", f"/v1/sessions/{sid}", token=here.token)

    assert answer.status_code == 200
    await are_closed([gone], CloseCode.REVOKED)
    await is_out(attacker, lost.token)
    await _cannot_refresh(attacker, lost)
    for path in ("/v1/orders", "/v1/cases", "/v1/monitor/figures", "/v1/me"):
        assert (await attacker.ask("GET", path, token=lost.token)).status_code == 401
    assert (await attacker.ask("GET", "/v1/orders", token=here.token)).status_code == 200
    stays.say(t="ping", ts=1)
    await stays.of("pong")


async def test_attack_11_somebody_disabled_gets_no_socket_and_no_session(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    shop = cast.ours.shop(world)
    login, password = f"gone.{uuid.uuid4()}", str(uuid.uuid4())
    hired = await shop.boss.call(
        "POST", "/v1/staff", {"login": login, "password": password, "name": "小陈", "role": "agent"}
    )
    session = await world.api.sign_in(login, password)
    await shop.boss.call("PATCH", f"/v1/staff/{hired['id']}", {"active": False})

    await is_out(attacker, session.token)
    right, wrong = [
        await attacker.ask("POST", "/v1/sessions", json={"login": login, "password": words})
        for words in (password, "x" * 12)
    ]
    is_problem(right, 401, "wrong_login")
    assert _without_trace(right.json()) == _without_trace(wrong.json())


async def test_attack_70_a_token_that_runs_out_closes_and_two_tabs_both_work(
    attacker: Attacker, world: World, platform: Platform, cast: Cast
) -> None:
    shop = cast.ours.shop(world)
    agent = await world.staff(shop, Role.AGENT)
    forger = Forger.at(platform, sub=agent.id, role="agent", shop=shop.id)
    now = int(time.time())
    # The leeway of a minute holds at hello; on the socket the token ends when it says.
    old = await attacker.phone(forger.token(exp=now + 2))
    renewed = await attacker.phone(forger.token(exp=now + 2))
    tabs = [await attacker.phone(agent.session.token) for _ in range(2)]

    fresh = await world.api.renew(agent.session)
    renewed.say(t="token", id="t", token=fresh.token)

    assert await renewed.code("t") is None
    assert await old.close_code() == CloseCode.TOKEN_EXPIRED
    for phone in (*tabs, renewed):
        phone.say(t="ping", ts=1)
        await phone.of("pong")


async def test_attack_70_the_same_client_again_replaces_its_older_socket(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    shop = cast.ours.shop(world)
    agent, other = await world.staff(shop, Role.AGENT), await world.staff(shop, Role.AGENT)
    client = {"name": "console", "version": "1", "instance": "tab-1"}
    first = await attacker.phone(agent.session.token, client=client)
    stranger = await attacker.phone(other.session.token, client=client)
    again = await attacker.phone(agent.session.token, client=client)

    assert await first.close_code() == CloseCode.REPLACED
    for phone in (stranger, again):
        phone.say(t="ping", ts=1)
        await phone.of("pong")


async def test_attack_70_a_token_of_somebody_else_does_not_renew(
    attacker: Attacker, cast: Cast
) -> None:
    agent = cast.ours.forger(Role.AGENT)
    foreign = [
        cast.ours.token(Role.SUPERVISOR),
        cast.theirs.token(Role.AGENT),
        agent.token(role="supervisor"),
        agent.token(shop=cast.theirs.id),
        agent.token(aud="peakdesk.internal"),
        agent.unsigned("none"),
        "x",
        "",
    ]
    for token in foreign:
        phone = await attacker.phone(agent.token())
        phone.say(t="token", id="t", token=token)
        assert await phone.close_code() == CloseCode.BAD_TOKEN


@pytest.mark.parametrize("which", ["all of them", "this one"])
async def test_a_refresh_in_flight_does_not_outlive_what_ended_the_session(
    attacker: Attacker, world: World, cast: Cast, which: str
) -> None:
    shop = cast.ours.shop(world)
    guests = [await world.visitor(shop) for _ in range(6)]

    async def race(guest: Person) -> list[str]:
        token = guest.session.token
        sid = (await attacker.ask("GET", "/v1/me", token=token)).json()["sid"]
        path = f"/v1/sessions/{sid}" if which == "this one" else "/v1/sessions"
        body = {"refresh_token": guest.session.refresh_token}
        refreshes = [attacker.ask("POST", "/v1/sessions/refresh", json=body) for _ in range(3)]
        leaving = attacker.ask("DELETE", path, token=token)
        *answers, left = await asyncio.gather(*refreshes, leaving)
        assert left.status_code == 200
        return [answer.json()["token"] for answer in answers if answer.status_code == 200]

    for guest in guests:
        for token in await race(guest):
            await is_out(attacker, token)


async def _follows(attacker: Attacker, person: Person) -> Phone:
    phone = await attacker.phone(person.session.token)
    phone.say(t="sub", id="inbox", s="inbox")
    assert await phone.code("inbox") is None
    return phone


async def _cannot_refresh(attacker: Attacker, session: Session) -> None:
    body = {"refresh_token": session.refresh_token}
    is_problem(await attacker.ask("POST", "/v1/sessions/refresh", json=body), 401)


def _without_trace(problem: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in problem.items() if name != "trace_id"}
