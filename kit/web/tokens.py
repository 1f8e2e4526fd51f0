"""Tokens: Ed25519-signed JWTs that say who calls. One issuer, one check, one algorithm.

Knows nothing of HTTP or of who may do what; time comes from the clock, keys as base64 text.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import SecretStr

from kit.clock import Clock
from kit.errors import Unauthorized
from kit.ids import Ids, Uuid7Ids

ISSUER: Final = "peakdesk"
PEOPLE: Final = "peakdesk"
"""Audience of tokens that people and their programs hold."""
SERVICES: Final = "peakdesk.internal"
"""Audience of tokens that services show one another on the admin port."""
SERVICE_ROLE: Final = "service"

LIFETIME_LIMIT_S: Final = 900
"""Seconds a token may live (H13); a longer one is refused even with a good signature."""
SERVICE_LIFETIME_S: Final = 60
LEEWAY_S: Final = 60
"""Seconds that two clocks may differ."""
CLAIM_LIMIT: Final = 200
"""Characters of one claim."""
LENGTH_LIMIT: Final = 4_096
"""Characters of a token; a longer one is refused before any work is done on it."""

_ALGORITHM: Final = "EdDSA"


class BadToken(Unauthorized):
    """The token is not ours, or not meant for us. The answer never says which check failed."""

    slug, title = "bad_token", "The token is not valid: sign in again"


class TokenExpired(Unauthorized):
    """The token was good and is over."""

    slug, title = "token_expired", "The token has expired: refresh it"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as a verified token says it. `role` and `shop_id` are the values of contracts."""

    subject: str
    role: str
    shop_id: str
    name: str
    jti: str
    issued_at: datetime
    expires_at: datetime
    sid: str = ""
    """The session that the token is of; empty of a service, and of an older release."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An Ed25519 key pair, each half the base64 of its 32 raw bytes."""

    private: SecretStr
    public: str


def generate_keypair() -> KeyPair:
    """Return a new key pair."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return KeyPair(
        private=SecretStr(base64.b64encode(private.private_bytes_raw()).decode()),
        public=base64.b64encode(public).decode(),
    )


class TokenIssuer:
    """Signs tokens for people. Only the conversation service has the key."""

    def __init__(self, private_key: SecretStr, clock: Clock, ids: Ids | None = None) -> None:
        self._key = _private(private_key)
        self._clock = clock
        self._ids = ids or Uuid7Ids(clock)

    def issue(
        self,
        *,
        subject: str,
        role: str,
        shop_id: str,
        name: str,
        sid: str = "",
        ttl_s: int = LIFETIME_LIMIT_S,
    ) -> str:
        """Return a token that lives `ttl_s` seconds, at most `LIFETIME_LIMIT_S`.

        `sid` is the session that it is of.
        """
        if not 0 < ttl_s <= LIFETIME_LIMIT_S:
            raise ValueError(f"a token lives 1 to {LIFETIME_LIMIT_S} seconds, not {ttl_s}")
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": PEOPLE,
            "sub": subject,
            "role": role,
            "shop": shop_id,
            "name": name,
            "iat": now,
            "exp": now + ttl_s,
            "jti": self._ids.new(),
            "sid": sid,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)


class ServiceTokens:
    """The token by which a service is known to its neighbours; renewed at half its life."""

    def __init__(self, private_key: SecretStr, name: str, clock: Clock) -> None:
        self._key = _private(private_key)
        self._name = name
        self._clock = clock
        self._ids = Uuid7Ids(clock)
        self._issued = 0
        self._token = ""

    def current(self) -> str:
        """Return a token that is good for at least half of `SERVICE_LIFETIME_S`."""
        now = int(self._clock.now().timestamp())
        if not 0 <= now - self._issued < SERVICE_LIFETIME_S // 2:
            self._issued = now
            self._token = self._issue(now)
        return self._token

    def _issue(self, now: int) -> str:
        claims = {
            "iss": ISSUER,
            "aud": SERVICES,
            "sub": self._name,
            "role": SERVICE_ROLE,
            "shop": "",
            "name": self._name,
            "iat": now,
            "exp": now + SERVICE_LIFETIME_S,
            "jti": self._ids.new(),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)


class TokenVerifier:
    """The one token check, for REST, WebSocket and command line alike.

    The algorithm is fixed and the key is given: a header's `alg`, `kid`, `jku` or `x5u` chooses
    nothing, and any `crit` is refused.
    """

    def __init__(self, public_key: str, clock: Clock, audience: str = PEOPLE) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        self._clock = clock
        self._audience = audience
        self._jws = jwt.PyJWS(algorithms=[_ALGORITHM])

    def verify(self, token: str) -> Principal:
        """Return who holds the token. Raises `BadToken` or `TokenExpired`."""
        claims = self._claims(token)
        if claims.get("iss") != ISSUER or claims.get("aud") != self._audience:
            raise BadToken
        issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
        now = self._clock.now().timestamp()
        not_before = _seconds(claims, "nbf") if "nbf" in claims else issued
        if max(issued, not_before) > now + LEEWAY_S or not 0 < expires - issued <= LIFETIME_LIMIT_S:
            raise BadToken
        if expires <= now - LEEWAY_S:
            raise TokenExpired
        return Principal(
            subject=_text(claims, "sub", least=1),
            role=_text(claims, "role", least=1),
            shop_id=_text(claims, "shop"),
            name=_text(claims, "name"),
            jti=_text(claims, "jti", least=1),
            issued_at=datetime.fromtimestamp(issued, UTC),
            expires_at=datetime.fromtimestamp(expires, UTC),
            sid=_text(claims, "sid") if "sid" in claims else "",
        )

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LENGTH_LIMIT:
            raise BadToken
        try:
            signed = self._jws.decode_complete(token, self._key, algorithms=[_ALGORITHM])
            claims = json.loads(signed["payload"])
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise BadToken from None
        header = signed["header"]
        if "crit" in header or header.get("typ", "JWT") != "JWT" or not isinstance(claims, dict):
            raise BadToken
        return claims


def _private(key: SecretStr) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(key.get_secret_value()))


def _seconds(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 <= value < 2**40:
        raise BadToken
    return value


def _text(claims: dict[str, Any], name: str, least: int = 0) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not least <= len(value) <= CLAIM_LIMIT:
        raise BadToken
    return value
