"""Who may come in, how long, and how everybody is shown the door."""

from datetime import timedelta
from typing import Any, TypeVar

import jwt
import pytest
from sqlalchemy import text

from contracts.base import Event, decode
from contracts.conversation import PersonListed, ShopListed
from kit.ids import derived_id
from services.conversation.directory.service import Relisting
from tests.integration.conversation.desk import PASSWORD, Person, Platform, Shop, code, ok
from tests.waiting import eventually

Listed = TypeVar("Listed", PersonListed, ShopListed)

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def _login(platform: Platform, login: str, password: str) -> Any:
    return await platform.call("POST", "/v1/sessions", body={"login": login, "password": password})


async def test_wrong_login_and_wrong_password_answer_alike(platform: Platform) -> None:
    shop = await platform.shop()

    wrong = await _login(platform, shop.boss.login, "not the password")
    unknown = await _login(platform, "nobody.at.all", PASSWORD)

    assert code(wrong) == code(unknown) == (401, "wrong_login")
    assert {**wrong.json(), "trace_id": ""} == {**unknown.json(), "trace_id": ""}


async def test_guessing_a_password_is_stopped(platform: Platform) -> None:
    shop = await platform.shop()

    answers = [await _login(platform, shop.boss.login, f"guess {n}") for n in range(12)]

    assert [one.status_code for one in answers] == [401] * 10 + [429] * 2
    assert (await _login(platform, shop.boss.login, PASSWORD)).status_code == 429


async def test_a_refresh_token_is_spent_by_its_use(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)

    fresh = await platform.refresh(agent.refresh_token)

    renewed = ok(fresh)
    assert renewed["refresh_token"] != agent.refresh_token
    assert renewed["person"]["id"] == agent.id
    assert ok(await platform.refresh(renewed["refresh_token"]))["token"]
    assert code(await platform.refresh("made up")) == (401, "bad_token")


async def test_signing_out_ends_every_session_and_tells_the_directory(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)

    ok(await platform.call("DELETE", "/v1/sessions", agent.token))

    assert code(await platform.refresh(agent.refresh_token)) == (401, "bad_token")
    entry = await _listed(platform, agent.id, version=2)
    assert entry.active
    again = await platform.sign_in(agent.login)
    issued = jwt.decode(again.token, options={"verify_signature": False})["iat"]
    assert issued >= entry.not_before.timestamp()


async def test_a_buyer_signs_out_too(platform: Platform) -> None:
    buyer = await (await platform.shop()).buyer()

    ok(await platform.call("DELETE", "/v1/sessions", buyer.token))

    entry = await _listed(platform, buyer.id, version=1)
    assert (entry.role, entry.name) == ("buyer", "")


async def test_who_loses_a_right_loses_his_sessions(platform: Platform) -> None:
    shop = await platform.shop()
    lowered, fired = await shop.staff("supervisor"), await shop.staff()

    ok(await shop.boss.patch(f"/v1/staff/{lowered.id}", {"role": "agent"}))
    ok(await shop.boss.patch(f"/v1/staff/{fired.id}", {"active": False}))

    for person, active in ((lowered, True), (fired, False)):
        entry = await _listed(platform, person.id, version=3)
        assert entry.active is active
        assert code(await platform.refresh(person.refresh_token)) == (401, "bad_token")
    assert code(await _login(platform, fired.login, PASSWORD)) == (401, "wrong_login")
    assert (await platform.sign_in(lowered.login)).id == lowered.id


async def test_a_shop_vouches_for_its_buyer(platform: Platform) -> None:
    shop = await platform.shop()

    first, again = await shop.buyer("tb-4711"), await shop.buyer("tb-4711")

    assert first.id == again.id == derived_id("buyer", shop.id, "tb-4711")


async def test_a_token_changes_only_what_it_says(platform: Platform) -> None:
    shop = await platform.shop()
    agent = await shop.staff()
    known = {"name": "陈小平", "phone": "13812348000", "address": "杭州市", "tier": 3}
    buyer = await shop.buyer("tb-1", **known)
    talk = ok(await buyer.post("/v1/conversations"), 201)

    await shop.buyer("tb-1", name=None)
    await shop.buyer("tb-1", name=None, phone="13900000000")

    shown = ok(await agent.get(f"/v1/conversations/{talk['id']}"))["buyer"]
    assert {name: shown[name] for name in ("name", "phone", "address")} == {
        "name": "陈*平", "phone": "139****0000", "address": "杭州市***",
    }  # fmt: skip
    async with platform.service.db.read_across("a test") as session:
        tiers = await session.execute(
            text("select tier from buyers where id = :id"), {"id": buyer.id}
        )
        assert tiers.scalars().all() == [3]


async def test_nobody_else_vouches_for_a_buyer(platform: Platform) -> None:
    shop, other = await platform.shop(), await platform.shop()
    now = int(platform.service.clock.now().timestamp())
    good = {"sub": "b", "exp": now + 60}
    hour = 3600
    tokens = {
        "another shop's secret": jwt.encode(good, other.secret, "HS256"),
        "no signature": jwt.encode(good, "", "none"),
        "another algorithm": jwt.encode(good, shop.secret, "HS512"),
        "expired": jwt.encode(good | {"exp": now - hour}, shop.secret, "HS256"),
        "not yet": jwt.encode(good | {"nbf": now + hour}, shop.secret, "HS256"),
        "no end": jwt.encode({"sub": "b"}, shop.secret, "HS256"),
        "end is text": jwt.encode({"sub": "b", "exp": "soon"}, shop.secret, "HS256"),
        "nobody": jwt.encode(good | {"sub": ""}, shop.secret, "HS256"),
        "a name that would be cut": jwt.encode(good | {"sub": "b" * 201}, shop.secret, "HS256"),
        "rank": jwt.encode(good | {"tier": 99}, shop.secret, "HS256"),
        "no token": "x.y.z",
    }

    for name, token in tokens.items():
        answer = await _exchange(platform, shop.id, token)
        assert code(answer) == (401, "bad_token"), name
    unknown = await _exchange(platform, derived_id("no shop"), tokens["no token"])
    assert code(unknown) == (401, "bad_token")


async def test_the_secret_before_the_last_still_works_and_the_older_one_does_not(
    platform: Platform,
) -> None:
    shop = await platform.shop()
    path = f"/v1/shops/{shop.id}"
    assert ok(await shop.boss.get(f"{path}/secret"))["secret"] == shop.secret

    ok(await shop.boss.post(f"{path}/secret-rotations"), 201)
    await shop.buyer("still")
    ok(await shop.boss.post(f"{path}/secret-rotations"), 201)

    token = jwt.encode(_claims(platform), shop.secret, "HS256")
    assert code(await _exchange(platform, shop.id, token)) == (401, "bad_token")
    fresh = ok(await shop.boss.get(f"{path}/secret"))["secret"]
    token = jwt.encode(_claims(platform), fresh, "HS256")
    assert (await _exchange(platform, shop.id, token)).status_code == 201


async def test_a_visitor_comes_in_without_an_account(platform: Platform) -> None:
    shop = await platform.shop()
    body = {"shop_id": shop.id, "name": "路人"}

    visitor = platform.person(
        ok(await platform.call("POST", "/v1/sessions/visitor", body=body), 201)
    )

    assert ok(await visitor.post("/v1/conversations"), 201)["state"] == "queued"
    nowhere = await platform.call("POST", "/v1/sessions/visitor", body={"shop_id": "nowhere"})
    assert code(nowhere) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"shop_id": "s", "name": "a\u0000b"},
        {"shop_id": "s\u0000"},
        {"shop_id": "s", "role": "admin"},
        {"shop_id": ["s"]},
        {},
    ],
)
async def test_bad_words_at_the_door_are_refused(platform: Platform, body: Any) -> None:
    answer = await platform.call("POST", "/v1/sessions/visitor", body=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_roles_open_only_their_own_doors(platform: Platform) -> None:
    shop = await platform.shop()
    agent, clerk, buyer = await shop.staff(), await shop.staff("clerk"), await shop.buyer()
    a_shop = {"name": "x", "admin_login": "abc", "admin_password": PASSWORD}
    closed: list[tuple[Person, str, str, dict[str, Any] | None]] = [
        (agent, "POST", "/v1/staff", {}),
        (agent, "GET", "/v1/staff", None),
        (agent, "POST", "/v1/conversations", {}),
        (agent, "PUT", f"/v1/shops/{shop.id}/wording-policy", {}),
        (clerk, "PUT", "/v1/agents/me/state", {"state": "online"}),
        (buyer, "GET", "/v1/agents", None),
        (buyer, "GET", "/v1/staff", None),
        (shop.boss, "POST", "/v1/shops", a_shop),
    ]  # fmt: skip

    for person, method, path, body in closed:
        answer = await platform.call(method, path, person.token, body=body)
        assert answer.status_code == 403, (method, path, answer.text)


async def test_another_shops_people_and_shop_do_not_exist(platform: Platform) -> None:
    shop, other = await platform.shop(), await platform.shop()
    agent = await shop.staff()

    answers = [
        await other.boss.patch(f"/v1/staff/{agent.id}", {"capacity": 1}),
        await other.boss.put(f"/v1/agents/{agent.id}/state", {"state": "break"}),
        await other.boss.get(f"/v1/shops/{shop.id}"),
        await other.boss.get(f"/v1/shops/{shop.id}/secret"),
        await other.boss.put(f"/v1/shops/{shop.id}/wording-policy", {}),
    ]

    assert [code(answer) for answer in answers] == [(404, "not_found")] * len(answers)
    assert agent.id not in str(ok(await other.boss.get("/v1/staff")))


async def test_a_wording_policy_reaches_the_directory(platform: Platform) -> None:
    shop = await platform.shop()
    policy = {"wording_actions": {"off_platform": "block"}, "allow_spans": ["微信支付"]}

    shown = ok(await shop.boss.put(f"/v1/shops/{shop.id}/wording-policy", policy))

    assert shown["policy"]["wording_actions"] == {"off_platform": "block"}
    listed = await _shop_listed(platform, shop, version=2)
    assert listed.allow_spans == ("微信支付",)
    assert listed.policy_version == "2"


async def test_a_lost_directory_is_told_anew_and_ends_with_the_newest(platform: Platform) -> None:
    shop, service = await platform.shop(), platform.service
    fired, kept = await shop.staff(), await shop.staff()
    ok(await shop.boss.put(f"/v1/shops/{shop.id}/wording-policy", {"wording_terms": ["竞品"]}))
    ok(await shop.boss.patch(f"/v1/staff/{fired.id}", {"active": False}))
    policy = await _shop_listed(platform, shop, version=2)

    async def dismissed() -> Any:
        last = (await _entries(platform, fired.id))[-1]
        return last if isinstance(last, PersonListed) and not last.active else None

    gone = await eventually(dismissed)

    listed = await Relisting(service.db, service.clock, service.ids).everything()

    assert listed >= len(("shop", "boss", "fired", "kept"))

    async def newest(key: str, before: str) -> Any:
        last = (await _entries(platform, key))[-1]
        return last if last.id != before else None

    again = await eventually(lambda: newest(fired.id, gone.id))
    assert (again.version, again.active) == (gone.version, False)
    told = await eventually(lambda: newest(f"shop:{shop.id}", policy.id))
    assert (told.version, told.wording_terms) == (2, ("竞品",))
    assert len(await _entries(platform, kept.id)) == 2


async def test_a_supervisor_sets_an_agents_state(platform: Platform) -> None:
    shop = await platform.shop()
    agent, leader = await shop.staff(), await shop.staff("supervisor")

    changed = await leader.put(f"/v1/agents/{agent.id}/state", {"state": "suspended"})

    assert ok(changed)["state"] == "suspended"
    assert code(await leader.put("/v1/agents/me/state", {"state": "asleep"}))[0] == 422


async def test_a_login_is_taken_once(platform: Platform) -> None:
    shop, other = await platform.shop(), await platform.shop()
    agent = await shop.staff()
    wish = {"login": agent.login, "password": PASSWORD, "name": "n", "role": "agent"}

    assert code(await other.boss.post("/v1/staff", wish)) == (409, "login_taken")
    assert (
        code(await other.boss.post("/v1/staff", wish | {"login": "x.y", "role": "buyer"}))[0] == 422
    )
    odd = wish | {"login": "x.z", "skill_groups": ["nowhere"]}
    assert code(await other.boss.post("/v1/staff", odd)) == (422, "unknown_group")


async def _exchange(platform: Platform, shop_id: str, token: str) -> Any:
    body = {"shop_id": shop_id, "token": token}
    return await platform.call("POST", "/v1/sessions/buyer", body=body)


def _claims(platform: Platform) -> dict[str, Any]:
    expires = platform.service.clock.now() + timedelta(minutes=5)
    return {"sub": "b", "exp": int(expires.timestamp())}


async def _listed(platform: Platform, subject: str, *, version: int) -> PersonListed:
    """Return the directory's entry of somebody, as soon as it has that version."""
    return await _awaited(platform, subject, PersonListed, version)


async def _shop_listed(platform: Platform, shop: Shop, *, version: int) -> ShopListed:
    return await _awaited(platform, f"shop:{shop.id}", ShopListed, version)


async def _awaited(platform: Platform, key: str, kind: type[Listed], version: int) -> Listed:
    found = await eventually(lambda: _entry(platform, key, kind, version))
    assert found is not None
    return found


async def _entry(platform: Platform, key: str, kind: type[Listed], version: int) -> Listed | None:
    for event in await _entries(platform, key):
        if isinstance(event, kind) and event.version == version:
            return event
    return None


async def _entries(platform: Platform, key: str) -> list[Event]:
    """Return all that the directory was told under a key, oldest first."""
    found: list[Event] = []
    reader = platform.service.bus.reader(["directory"])
    await reader.start()
    try:
        ends = await reader.end_offsets(reader.assignment())
        left = {tp for tp, end in ends.items() if end > 0}
        while left:
            for records in (await reader.getmany(200)).values():
                found += [decode(record) for record in records if record.key == key.encode()]
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}
    finally:
        await reader.stop()
    return found
