"""Who enters: tokens at the door, tokens in the URL, roles, and foreign origins.

Attack table, rows 11, 17, 18, 56.
"""

import httpx2
import pytest

from kit.clock import ManualClock
from kit.web.app import create_app
from kit.web.auth import KeyPair, ServiceTokens, TokenIssuer
from tests.unit.kitweb.sample import bearer, problem

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["token", "access_token", "Authorization", "%74oken"])
async def test_a_token_in_the_url_is_refused(client: httpx2.AsyncClient, name: str) -> None:
    problem(await client.get(f"/v1/me?{name}=x"), 400, "token_in_url")


async def test_a_token_opens_the_route(
    client: httpx2.AsyncClient, keys: KeyPair, clock: ManualClock
) -> None:
    issuer = TokenIssuer(keys.private, clock)
    token = issuer.issue(subject="a1", role="agent", shop_id="s1", name="")

    assert (await client.get("/v1/me", headers=bearer(token))).json() == {"subject": "a1"}
    problem(await client.get("/v1/board", headers=bearer(token)), 403, "forbidden")
    problem(await client.get("/v1/neighbour", headers=bearer(token)), 401, "bad_token")
    clock.advance(1_000)
    problem(await client.get("/v1/me", headers=bearer(token)), 401, "token_expired")


async def test_without_a_good_token_nobody_enters(
    client: httpx2.AsyncClient, keys: KeyPair, clock: ManualClock
) -> None:
    for headers in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
        answer = await client.get("/v1/me", headers=headers)
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    problem(await client.get("/v1/me", headers=bearer("x.y.z")), 401, "bad_token")
    fired = TokenIssuer(keys.private, clock).issue(
        subject="fired", role="agent", shop_id="s1", name=""
    )
    problem(await client.get("/v1/me", headers=bearer(fired)), 401, "bad_token")


async def test_a_service_token_opens_internal_routes_alone(
    client: httpx2.AsyncClient, keys: KeyPair, clock: ManualClock
) -> None:
    token = ServiceTokens(keys.private, "gateway", clock).current()
    answer = await client.get("/v1/neighbour", headers=bearer(token))
    assert answer.json() == {"subject": "gateway"}
    problem(await client.get("/v1/me", headers=bearer(token)), 401, "bad_token")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "https://shop.example.evil.com", "http://shop.example"],
)
async def test_a_foreign_origin_is_told_nothing(client: httpx2.AsyncClient, origin: str) -> None:
    answer = await client.get("/v1/things/7", headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    asked = {"origin": origin, "access-control-request-method": "PUT"}
    preflight = await client.options("/v1/things/7", headers=asked)
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers


async def test_a_listed_origin_may_read_but_sends_no_cookies(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/things/7", headers={"origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in answer.headers


def test_every_origin_is_never_listed(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="name each origin"):
        create_app(title="t", version="1", routers=[], clock=clock, allowed_origins=["*"])
