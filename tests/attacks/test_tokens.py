"""Rows 10 to 17: tokens and passwords that are not right, at every door that takes them."""

import asyncio
import base64
import uuid
from typing import Any

import jwt
import pytest

from contracts.frames import CloseCode
from contracts.people import Role
from launcher import services
from tests.attacks.attacker import Attacker, is_problem
from tests.attacks.cast import Cast
from tests.attacks.forging import Forger
from tests.platform import Platform
from tests.world import World

pytestmark = pytest.mark.journey

HELLO = {"t": "hello", "v": 1}
READS = ("/v1/conversations", "/v1/orders", "/v1/cases", "/v1/inbox")
"""A route of each service that whoever holds a token may read; the gateway checks for all."""


@pytest.fixture
def forger(platform: Platform, cast: Cast) -> Forger:
    """Somebody who forges the token of an agent of our shop whom nobody has seen or logged out."""
    return Forger.at(platform, sub=str(uuid.uuid4()), role="agent", shop=cast.ours.id)


async def is_refused(attacker: Attacker, *tokens: str, close: int = CloseCode.BAD_TOKEN) -> None:
    """Assert that neither REST nor a socket takes any of these tokens."""
    for token in tokens:
        answer = await attacker.ask("GET", "/v1/conversations", token=token)
        is_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        phone = await attacker.dial()
        phone.say(**HELLO, token=token)
        assert await phone.close_code() == close, token
        assert not phone.frames


async def test_the_forger_is_right_in_everything_but_what_he_changes(
    attacker: Attacker, forger: Forger
) -> None:
    for path in READS:
        assert (await attacker.ask("GET", path, token=forger.token())).status_code == 200
    phone = await attacker.phone(forger.token())
    assert phone.frames[0]["t"] == "ready"


async def test_attack_10_a_wrong_password_opens_no_login_path(
    attacker: Attacker, world: World, cast: Cast
) -> None:
    shop = await world.shop()
    secret = (await shop.boss.call("GET", f"/v1/shops/{shop.id}/secret"))["secret"]
    claims = {"sub": "buyer-1", "exp": 4_000_000_000}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("/v1/sessions", {"login": "nobody-at-all", "password": "x" * 12}),
        ("/v1/sessions", {"login": "admin", "password": "x" * 12}),
        ("/v1/sessions/refresh", {"refresh_token": "x" * 43}),
        ("/v1/sessions/refresh", {"refresh_token": cast.ours.token(Role.AGENT)[:200]}),
        *(
            ("/v1/sessions/buyer", {"shop_id": shop.id, "token": token})
            for token in (
                "x",
                jwt.encode(claims, "another secret, long enough for HS256", algorithm="HS256"),
                jwt.encode(claims, secret[:-1] + "x", algorithm="HS256"),
                jwt.encode(claims | {"exp": 1}, secret, algorithm="HS256"),
                jwt.encode(claims | {"nbf": 3_900_000_000}, secret, algorithm="HS256"),
                jwt.encode({"sub": "buyer-1"}, secret, algorithm="HS256"),
                jwt.encode({"exp": 4_000_000_000}, secret, algorithm="HS256"),
                jwt.encode(claims, "", algorithm="none"),
            )
        ),
        ("/v1/sessions/buyer", {"shop_id": cast.theirs.id, "token": _signed(claims, secret)}),
        ("/v1/sessions/buyer", {"shop_id": "nowhere", "token": _signed(claims, secret)}),
    ]
    for path, body in wrong:
        is_problem(await attacker.ask("POST", path, json=body), 401)
    right = {"shop_id": shop.id, "token": _signed(claims, secret)}
    assert (await attacker.ask("POST", "/v1/sessions/buyer", json=right)).status_code == 201


async def test_attack_12_a_token_without_a_signature_is_refused(
    attacker: Attacker, forger: Forger
) -> None:
    await is_refused(attacker, *map(forger.unsigned, ("none", "None", "NONE", "", "EdDSA")))


async def test_attack_13_our_public_key_is_no_secret_to_sign_with(
    attacker: Attacker, forger: Forger
) -> None:
    raw = base64.b64decode(forger.public)
    forms = [raw, forger.public.encode(), raw.hex().encode(), b""]
    others = [forger.token(header={"alg": name}) for name in ("HS256", "RS256", "ES256", "Ed448")]
    await is_refused(attacker, *map(forger.by_public_key, forms), *others)


async def test_attack_14_an_extension_that_must_be_understood_is_refused(
    attacker: Attacker, forger: Forger
) -> None:
    headers: list[dict[str, Any]] = [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"crit": "exp", "exp": 1},
        {"typ": "dpop+jwt"},
    ]
    await is_refused(attacker, *(forger.token(header=header) for header in headers))


async def test_attack_15_a_header_chooses_no_key_and_nothing_is_fetched(
    attacker: Attacker, forger: Forger
) -> None:
    asked: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here = f"http://127.0.0.1:{port}/keys"
    own = base64.urlsafe_b64encode(b"k" * 32).decode().rstrip("=")
    headers: list[dict[str, Any]] = [
        {"kid": "../../../../dev/null"},
        {"kid": "x' UNION SELECT 'k' --"},
        {"kid": here},
        {"jku": here},
        {"x5u": here},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": own}},
        {"x5c": ["MII"]},
    ]
    async with server:
        await is_refused(attacker, *(forger.of_another_key(**header) for header in headers))
    assert not asked


async def test_attack_16_times_that_are_not_right_are_refused(
    attacker: Attacker, forger: Forger
) -> None:
    now = int(forger.claims["iat"])
    await is_refused(
        attacker,
        forger.token(iat=now - 700, exp=now - 61),
        close=CloseCode.TOKEN_EXPIRED,
    )
    await is_refused(
        attacker,
        forger.token(nbf=now + 3600),
        forger.token(iat=now + 3600, exp=now + 4200),
        forger.token(exp=2**63),
        forger.token(exp=10**400),
        forger.token(exp=now + 901),
        forger.token(exp=str(now + 600)),
        forger.token(exp=now + 600.5),
        forger.token(exp=True),
        forger.token(exp=-1),
        forger.token(iat=now + 30, exp=now + 20),
        forger.token(exp=None),
        forger.token(iat=None),
        forger.token(iat=[now]),
        forger.token(nbf="now"),
        forger.raw({"alg": "EdDSA"}, b'{"exp":1e999}'),
        forger.raw({"alg": "EdDSA"}, b'{"exp":NaN}'),
    )


async def test_attack_16_clocks_may_differ_by_a_minute(attacker: Attacker, forger: Forger) -> None:
    now = int(forger.claims["iat"])
    for token in (
        forger.token(iat=now - 700, exp=now - 30),
        forger.token(iat=now + 45, exp=now + 600),
        forger.token(nbf=now + 45),
    ):
        assert (await attacker.ask("GET", "/v1/inbox", token=token)).status_code == 200


async def test_attack_17_a_token_of_another_issuer_audience_or_role_opens_nothing(
    attacker: Attacker, forger: Forger, platform: Platform, cast: Cast
) -> None:
    private, public = services.key_pair(platform.known, "services")
    service = Forger(private, public, forger.claims)
    await is_refused(
        attacker,
        forger.token(aud="peakdesk.internal"),
        forger.token(aud=["peakdesk", "other"]),
        forger.token(aud=None),
        forger.token(iss="https://evil.example"),
        forger.token(iss=None),
        forger.token(sub=""),
        forger.token(sub=7),
        forger.token(jti=None),
        forger.token(name="x" * 201),
        service.token(aud="peakdesk.internal", role="service"),
        service.token(),
        forger.token() + "x",
        forger.token() + ".x",
        forger.token().replace(".", ""),
        "." * 10,
        "A" * 5_000,
    )
    phone = await attacker.dial()
    phone.say(**HELLO, token=forger.token(role="god"))
    assert await phone.close_code() == CloseCode.BAD_TOKEN
    for path in ("/v1/staff", "/v1/monitor/board?shop=" + cast.ours.id, "/v1/work-items"):
        answer = await attacker.ask("GET", path, token=cast.ours.token(Role.BUYER))
        is_problem(answer, 403, "forbidden")
    for body in ({"state": "online"}, {}):
        answer = await attacker.ask(
            "PUT", "/v1/agents/me/state", token=cast.ours.token(Role.BUYER), json=body
        )
        is_problem(answer, {403, 422})


def _signed(claims: dict[str, Any], secret: str) -> str:
    return jwt.encode(claims, secret, algorithm="HS256")
