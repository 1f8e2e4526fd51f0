"""A person's own sessions: what he sees of them, and what ending one of them ends.

Attack table, rows 8 to 10. Time passes by moving what is stored back.
"""

from typing import Any

import httpx2
import jwt
import pytest
from sqlalchemy import text

from contracts.base import decode
from contracts.conversation import SessionEnded, session_key
from services.conversation.directory.service import Relisting
from tests.integration.conversation.desk import PASSWORD, Person, Platform, code, ok
from tests.integration.conversation.directory import records_of
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ENDED = (401, "bad_token")


async def test_every_token_says_of_which_session_it_is(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)
    elsewhere = await platform.sign_in(agent.login)

    renewed = ok(await platform.refresh(agent.refresh_token))

    assert _sid(renewed["token"]) == _sid(agent.token) != _sid(elsewhere.token)
    for one in (agent, elsewhere):
        assert ok(await one.get("/v1/me"))["sid"] == _sid(one.token)


async def test_people_see_their_own_sessions_and_nobody_elses(platform: Platform) -> None:
    shop = await platform.shop()
    agent, _ = await shop.staff(state=None), await shop.staff(state=None)
    await _called(platform, agent.login, "Mozilla/5.0 (Windows NT 10.0) 测试".encode())
    ok(await platform.refresh(agent.refresh_token))

    here, elsewhere = ok(await agent.get("/v1/sessions"))["items"]

    assert (here["sid"], here["current"]) == (_sid(agent.token), True)
    assert here["opened_at"] < here["used_at"]
    assert elsewhere["client"].startswith("Mozilla/5.0 (Windows NT 10.0)")
    assert elsewhere["opened_at"] == elsewhere["used_at"]
    assert not elsewhere["current"]


async def test_what_a_client_calls_itself_is_cut(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)

    await _called(platform, agent.login, b"x" * 3_000)

    lengths = {len(one["client"]) for one in ok(await agent.get("/v1/sessions"))["items"]}
    assert max(lengths) == 200


@pytest.mark.parametrize("role", ["staff", "buyer"])
async def test_an_ended_session_is_over_and_the_others_of_that_person_go_on(
    platform: Platform, role: str
) -> None:
    shop = await platform.shop()
    if role == "staff":
        here = await shop.staff(state=None)
        lost = await platform.sign_in(here.login)
    else:
        here, lost = await shop.buyer("b"), await shop.buyer("b")

    ok(await _end(platform, here, _sid(lost.token)))

    assert code(await platform.refresh(lost.refresh_token)) == ENDED
    await _is_refused(lost)
    assert ok(await here.get("/v1/me"))["id"] == lost.id
    assert ok(await platform.refresh(here.refresh_token))
    (left,) = ok(await here.get("/v1/sessions"))["items"]
    assert left["sid"] == _sid(here.token)
    entry = await _told(platform, _sid(lost.token))
    assert (entry.subject, entry.shop_id) == (lost.id, shop.id)


async def test_to_end_a_session_twice_is_to_end_it_once(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)
    lost = _sid((await platform.sign_in(agent.login)).token)

    for _ in range(2):
        ok(await _end(platform, agent, lost))

    await _told(platform, lost)
    assert len(await records_of(platform, session_key(lost))) == 1


async def test_nobody_ends_the_session_of_another(platform: Platform) -> None:
    shop = await platform.shop()
    agent, other = await shop.staff(state=None), await shop.staff(state=None)

    for sid in (_sid(other.token), "slots", "00000000-0000-7000-8000-000000000000"):
        for who in (agent, shop.boss):
            assert (await _end(platform, who, sid)).status_code == 404

    assert ok(await platform.refresh(other.refresh_token))


async def test_a_thief_and_his_victim_lose_their_tokens_with_the_session(
    platform: Platform,
) -> None:
    agent = await (await platform.shop()).staff(state=None)
    stolen = ok(await platform.refresh(agent.refresh_token))
    ok(await platform.refresh(stolen["refresh_token"]))

    assert code(await platform.refresh(agent.refresh_token)) == ENDED

    await _is_refused(agent)
    await _told(platform, _sid(stolen["token"]))
    assert (await platform.sign_in(agent.login)).id == agent.id


async def test_who_signs_out_of_one_session_keeps_no_token_of_it(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)
    elsewhere = await platform.sign_in(agent.login)
    body = {"refresh_token": agent.refresh_token}

    ok(await platform.call("POST", "/v1/sessions/end", body=body))

    await _is_refused(agent)
    assert ok(await elsewhere.get("/v1/me"))["sid"] == _sid(elsewhere.token)


async def test_the_directory_forgets_a_session_once_no_token_of_it_is_good(
    platform: Platform,
) -> None:
    agent = await (await platform.shop()).staff(state=None)
    old, young = [_sid((await platform.sign_in(agent.login)).token) for _ in range(2)]
    for sid in (old, young):
        ok(await _end(platform, agent, sid))
    await _ended_ago(platform, old, minutes=16.1)
    await _ended_ago(platform, young, minutes=15.9)

    await platform.service.retention.forget()

    async def is_forgotten() -> bool:
        return (await records_of(platform, session_key(old)))[-1].value is None

    await eventually(is_forgotten, what="a tombstone")
    assert [one.value is None for one in await records_of(platform, session_key(young))] == [False]
    assert (await _end(platform, agent, old)).status_code == 404


async def test_a_lost_directory_is_told_which_sessions_were_ended(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)
    lost = _sid((await platform.sign_in(agent.login)).token)
    ok(await _end(platform, agent, lost))
    first = await _told(platform, lost)
    service = platform.service

    await Relisting(service.db, service.clock, service.ids).everything()

    async def told_again() -> bool:
        return len(await records_of(platform, session_key(lost))) == 2

    await eventually(told_again, what="the session, told anew")
    assert (await _told(platform, lost)).ended_at == first.ended_at


async def test_a_session_that_the_release_before_began_is_shown_since_its_token(
    platform: Platform,
) -> None:
    agent = await (await platform.shop()).staff(state=None)
    forgotten = "update refresh_tokens set opened_at = null, client = null where subject = :id"
    async with platform.service.db.write_across("a test") as session:
        await session.execute(text(forgotten), {"id": agent.id})
    (before,) = ok(await agent.get("/v1/sessions"))["items"]
    assert (before["opened_at"], before["client"]) == (before["used_at"], "")

    ok(await platform.refresh(agent.refresh_token))

    (after,) = ok(await agent.get("/v1/sessions"))["items"]
    assert after["opened_at"] == before["opened_at"] < after["used_at"]


def _sid(token: str) -> str:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    sid: str = claims["sid"]
    return sid


async def _end(platform: Platform, who: Person, sid: str) -> httpx2.Response:
    return await platform.call("DELETE", f"/v1/sessions/{sid}", who.token)


async def _called(platform: Platform, login: str, client: bytes) -> None:
    """Sign in as a client that calls itself so."""
    answer = await platform.client.post(
        f"{platform.addresses.http}/v1/sessions",
        json={"login": login, "password": PASSWORD},
        headers={b"user-agent": client},
    )
    assert answer.status_code == 201


async def _is_refused(person: Person) -> None:
    async def refused() -> bool:
        return (await person.get("/v1/me")).status_code == 401

    await eventually(refused, what="401 for a token of an ended session")


async def _told(platform: Platform, sid: str) -> SessionEnded:
    """Return what the directory says of a session at last."""

    async def newest() -> SessionEnded | None:
        found = [
            decode(one)
            for one in await records_of(platform, session_key(sid))
            if one.value is not None
        ]
        return next((one for one in reversed(found) if isinstance(one, SessionEnded)), None)

    entry = await eventually(newest, what="the directory's entry")
    assert isinstance(entry, SessionEnded)
    return entry


async def _ended_ago(platform: Platform, sid: str, *, minutes: float) -> None:
    earlier = (
        "update ended_sessions set ended_at = now() - make_interval(secs => :seconds)"
        " where sid = :sid"
    )
    async with platform.service.db.write_across("a test") as session:
        await session.execute(text(earlier), {"sid": sid, "seconds": minutes * 60})
