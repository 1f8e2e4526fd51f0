"""The token check against everything that may be handed to it (attack table, rows 12 to 17)."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit.clock import ManualClock
from kit.errors import Unauthorized
from kit.web.auth import (
    PEOPLE,
    SERVICES,
    BadToken,
    KeyPair,
    ServiceTokens,
    TokenExpired,
    TokenIssuer,
    TokenVerifier,
    generate_keypair,
)

pytestmark = pytest.mark.unit

START = datetime(2026, 11, 11, tzinfo=UTC)
NOW = int(START.timestamp())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    return generate_keypair()


@pytest.fixture
def verifier(keys: KeyPair, clock: ManualClock) -> TokenVerifier:
    return TokenVerifier(keys.public, clock)


def claims(**changed: object) -> dict[str, Any]:
    good = {
        "iss": "peakdesk",
        "aud": PEOPLE,
        "sub": "a1",
        "role": "agent",
        "shop": "s1",
        "name": "小王",
        "iat": NOW,
        "exp": NOW + 900,
        "jti": "j1",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(keys: KeyPair, header: dict[str, Any] | None = None, **changed: object) -> str:
    raw = base64.b64decode(keys.private.get_secret_value())
    key = Ed25519PrivateKey.from_private_bytes(raw)
    payload = json.dumps(claims(**changed)).encode()
    return jwt.PyJWS(algorithms=["EdDSA"]).encode(payload, key, "EdDSA", headers=header)


def assembled(header: dict[str, Any], payload: bytes, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), payload, signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@contextmanager
def refused(kind: type[Unauthorized] = BadToken) -> Iterator[None]:
    with pytest.raises(kind) as caught:
        yield
    assert caught.value.detail == ""


def test_an_issued_token_says_who_holds_it(
    keys: KeyPair, clock: ManualClock, verifier: TokenVerifier
) -> None:
    token = TokenIssuer(keys.private, clock).issue(
        subject="a1", role="agent", shop_id="s1", name="小王", sid="f1"
    )

    principal = verifier.verify(token)

    assert (principal.subject, principal.role, principal.shop_id) == ("a1", "agent", "s1")
    assert principal.name == "小王"
    assert principal.issued_at == START
    assert (principal.expires_at - principal.issued_at).total_seconds() == 900
    assert principal.jti
    assert principal.sid == "f1"


def test_a_token_of_an_older_release_names_no_session(
    keys: KeyPair, verifier: TokenVerifier
) -> None:
    assert verifier.verify(signed(keys)).sid == ""
    for odd in (1, ["f1"], "x" * 201):
        with refused():
            verifier.verify(signed(keys, sid=odd))


def test_no_token_lives_longer_than_a_quarter_of_an_hour(
    keys: KeyPair, clock: ManualClock, verifier: TokenVerifier
) -> None:
    with pytest.raises(ValueError, match="900"):
        TokenIssuer(keys.private, clock).issue(
            subject="a1", role="agent", shop_id="s1", name="", ttl_s=901
        )
    with refused():
        verifier.verify(signed(keys, exp=NOW + 901))


def test_an_unsigned_token_is_refused(verifier: TokenVerifier) -> None:
    payload = json.dumps(claims()).encode()
    for algorithm in ("none", "None", "NONE", ""):
        with refused():
            verifier.verify(assembled({"alg": algorithm, "typ": "JWT"}, payload))


def test_the_public_key_is_no_shared_secret(keys: KeyPair, verifier: TokenVerifier) -> None:
    public = base64.b64decode(keys.public)
    for secret in (public, keys.public.encode()):
        with refused():
            verifier.verify(jwt.encode(claims(), secret, algorithm="HS256"))


def test_another_algorithm_is_refused_whatever_key_it_brings(verifier: TokenVerifier) -> None:
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(foreign.public_key(), as_dict=True)
    with refused():
        verifier.verify(jwt.encode(claims(), foreign, algorithm="RS256", headers={"jwk": jwk}))


def test_another_key_is_refused(verifier: TokenVerifier) -> None:
    with refused():
        verifier.verify(signed(generate_keypair()))


@pytest.mark.parametrize("crit", [["exp"], ["b64"], ["unheard-of"], [], "exp"])
def test_a_critical_header_is_refused(keys: KeyPair, verifier: TokenVerifier, crit: object) -> None:
    raw = base64.b64decode(keys.private.get_secret_value())
    header = assembled({"alg": "EdDSA", "crit": crit, "exp": 1}, json.dumps(claims()).encode())
    signing_input = header.rsplit(".", 1)[0]
    signature = Ed25519PrivateKey.from_private_bytes(raw).sign(signing_input.encode())
    shown = base64.urlsafe_b64encode(signature).decode().rstrip("=")
    with refused():
        verifier.verify(f"{signing_input}.{shown}")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "https://evil.example/key"},
        {"kid": "' or 1=1 --"},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "file:///etc/passwd"},
    ],
)
def test_a_header_chooses_no_key(
    keys: KeyPair, verifier: TokenVerifier, header: dict[str, Any]
) -> None:
    with refused():
        verifier.verify(signed(generate_keypair(), header))
    assert verifier.verify(signed(keys, header)).subject == "a1"


def test_an_expired_token_is_named_as_such(
    keys: KeyPair, clock: ManualClock, verifier: TokenVerifier
) -> None:
    token = signed(keys)
    clock.advance(900 + 59)
    assert verifier.verify(token).subject == "a1"
    clock.advance(1)
    with refused(TokenExpired):
        verifier.verify(token)


@pytest.mark.parametrize(
    "changed",
    [
        {"nbf": NOW + 61},
        {"iat": NOW + 61, "exp": NOW + 900},
        {"iat": NOW + 3600, "exp": NOW + 3700},
        {"exp": 2**63},
        {"exp": 10**40},
        {"exp": str(NOW + 900)},
        {"exp": NOW + 900.5},
        {"exp": True},
        {"exp": None},
        {"iat": None},
        {"iat": -1},
        {"exp": NOW, "iat": NOW},
        {"nbf": "soon"},
    ],
)
def test_times_out_of_bounds_are_refused(
    keys: KeyPair, verifier: TokenVerifier, changed: dict[str, Any]
) -> None:
    with refused():
        verifier.verify(signed(keys, **changed))


def test_a_minute_of_clock_difference_is_forgiven(keys: KeyPair, verifier: TokenVerifier) -> None:
    assert verifier.verify(signed(keys, iat=NOW + 60, exp=NOW + 900, nbf=NOW + 60)).subject == "a1"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": [PEOPLE]},
        {"aud": SERVICES},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"role": None},
        {"role": ""},
        {"shop": None},
        {"jti": None},
        {"name": "x" * 201},
    ],
)
def test_claims_that_are_not_ours_are_refused(
    keys: KeyPair, verifier: TokenVerifier, changed: dict[str, Any]
) -> None:
    with refused():
        verifier.verify(signed(keys, **changed))


@pytest.mark.parametrize(
    "text",
    ["", "x", "a.b", "a.b.c", "....", "🙂.🙂.🙂", "e30.e30.", "x" * 5000, "\x00", "e30.W10.e30"],
)
def test_noise_is_refused(verifier: TokenVerifier, text: str) -> None:
    with refused():
        verifier.verify(text)


def test_a_service_token_is_good_inside_only(
    keys: KeyPair, clock: ManualClock, verifier: TokenVerifier
) -> None:
    inside = TokenVerifier(keys.public, clock, SERVICES)
    token = ServiceTokens(keys.private, "gateway", clock).current()

    assert inside.verify(token).subject == "gateway"
    with refused():
        verifier.verify(token)
    with refused():
        inside.verify(signed(keys))


def test_a_service_token_is_renewed_before_it_ends(keys: KeyPair, clock: ManualClock) -> None:
    tokens = ServiceTokens(keys.private, "gateway", clock)
    first = tokens.current()
    clock.advance(29)
    assert tokens.current() == first
    clock.advance(1)
    assert tokens.current() != first


def test_the_private_key_is_not_shown(keys: KeyPair) -> None:
    assert keys.private.get_secret_value() not in repr(keys)
