"""What somebody is shown of himself, and the password that he gives himself.

Attack table, rows 9 and 10.
"""

import httpx2
import pytest

from tests.integration.conversation.desk import PASSWORD, Person, Platform, code, ok
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

NEW = "quite another pass phrase"


async def test_staff_see_their_own_account(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff(state="online", skill_groups=["complaint"])

    shown = ok(await agent.get("/v1/me"))

    assert shown.pop("state_since") is not None
    assert shown.pop("sid")
    assert shown == {
        "id": agent.id,
        "role": "agent",
        "shop_id": shop.id,
        "name": shown["name"],
        "login": agent.login,
        "groups": ["complaint"],
        "capacity": shown["capacity"],
        "state": "online",
    }
    listed = ok(await shop.boss.get("/v1/staff"))["items"]
    (entry,) = [one for one in listed if one["id"] == agent.id]
    assert shown["groups"] == entry["skill_groups"]
    same = ("name", "login", "capacity")
    assert {name: shown[name] for name in same} == {name: entry[name] for name in same}


async def test_a_buyer_sees_who_he_is_and_nothing_that_only_staff_have(platform: Platform) -> None:
    shop = await platform.shop()
    buyer = await shop.buyer()

    shown = ok(await buyer.get("/v1/me"))

    assert (shown["id"], shown["role"], shown["shop_id"]) == (buyer.id, "buyer", shop.id)
    assert (shown["login"], shown["capacity"], shown["state"]) == (None, None, None)


async def test_a_new_password_of_ones_own_ends_every_session_but_the_one_that_asks(
    platform: Platform,
) -> None:
    agent = await (await platform.shop()).staff(state=None)
    elsewhere = [await platform.sign_in(agent.login) for _ in range(2)]

    assert ok(await _change(platform, agent, PASSWORD, NEW)) == {"done": True}

    for other in elsewhere:
        assert code(await platform.refresh(other.refresh_token)) == (401, "bad_token")
    renewed = ok(await platform.refresh(agent.refresh_token))
    assert ok(await platform.call("GET", "/v1/me", renewed["token"]))["login"] == agent.login
    assert code(await _login(platform, agent.login, PASSWORD)) == (401, "wrong_login")
    assert (await _login(platform, agent.login, NEW)).status_code == 201

    async def are_refused() -> bool:
        return {(await one.get("/v1/me")).status_code for one in elsewhere} == {401}

    await eventually(are_refused)
    assert (await agent.get("/v1/me")).status_code == 200


async def test_who_does_not_know_the_present_password_changes_nothing(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)

    refused = await _change(platform, agent, "a guess of mine", NEW)

    assert code(refused) == (403, "wrong_password")
    assert ok(await platform.refresh(agent.refresh_token))
    assert (await _login(platform, agent.login, PASSWORD)).status_code == 201


async def test_guesses_at_the_present_password_are_stopped_as_guesses_at_the_door_are(
    platform: Platform,
) -> None:
    agent = await (await platform.shop()).staff(state=None)

    answers = [await _change(platform, agent, f"guess {n}", NEW) for n in range(11)]

    assert [one.status_code for one in answers] == [403] * 10 + [429]
    assert (await _change(platform, agent, PASSWORD, NEW)).status_code == 429


@pytest.mark.parametrize("new", ["short", "x" * 257])
async def test_a_password_that_is_none_is_refused(platform: Platform, new: str) -> None:
    agent = await (await platform.shop()).staff(state=None)

    assert (await _change(platform, agent, PASSWORD, new)).status_code == 422
    assert ok(await platform.refresh(agent.refresh_token))


async def test_a_buyer_has_no_password(platform: Platform) -> None:
    buyer = await (await platform.shop()).buyer()

    assert code(await _change(platform, buyer, PASSWORD, NEW)) == (403, "no_password")


async def _change(platform: Platform, person: Person, current: str, new: str) -> httpx2.Response:
    body = {"current": current, "new": new}
    return await platform.call("PUT", "/v1/me/password", person.token, body=body)


async def _login(platform: Platform, login: str, password: str) -> httpx2.Response:
    body = {"login": login, "password": password}
    return await platform.call("POST", "/v1/sessions", body=body)
