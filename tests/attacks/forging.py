"""Tokens as a forger makes them: right in everything but one thing.

The platform's own key is used where only a claim is wrong; a forger would not have it.
"""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from launcher import services
from tests.platform import Platform


@dataclass(frozen=True)
class Forger:
    """Signs what he is told; `claims` are those of a right token."""

    private: str
    public: str
    claims: Mapping[str, Any]

    @classmethod
    def at(cls, platform: Platform, **who: str) -> "Forger":
        """Return a forger of people's tokens who speaks for `sub`, `role` and `shop`."""
        private, public = services.key_pair(platform.known, "people")
        now = int(time.time())
        claims = {
            "iss": "peakdesk",
            "aud": "peakdesk",
            "iat": now,
            "exp": now + 600,
            "jti": "forged",
            "name": "",
        }
        return cls(private, public, claims | who)

    def token(self, *, header: Mapping[str, Any] | None = None, **change: Any) -> str:
        """Return a token signed with the right key; a changed claim of None is left out."""
        shown = {"alg": "EdDSA", "typ": "JWT", **(header or {})}
        claims = {k: v for k, v in {**self.claims, **change}.items() if v is not None}
        signed = f"{_part(shown)}.{_part(claims)}"
        return f"{signed}.{_text(_key(self.private).sign(signed.encode()))}"

    def raw(self, header: Mapping[str, Any], payload: bytes | None = None) -> str:
        """Return a rightly signed token of any header and any payload."""
        body = _part(dict(self.claims)) if payload is None else _text(payload)
        signed = f"{_part(header)}.{body}"
        return f"{signed}.{_text(_key(self.private).sign(signed.encode()))}"

    def by_public_key(self, secret: bytes) -> str:
        """Return an HS256 token whose secret is our public key in one of its forms."""
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(dict(self.claims))}"
        return f"{signed}.{_text(hmac.digest(secret, signed.encode(), sha256))}"

    def unsigned(self, algorithm: str) -> str:
        """Return a token without a signature."""
        return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(dict(self.claims))}."

    def of_another_key(self, **header: Any) -> str:
        """Return a token signed with a key of the forger's own."""
        signed = f"{_part({'alg': 'EdDSA', 'typ': 'JWT', **header})}.{_part(dict(self.claims))}"
        return f"{signed}.{_text(Ed25519PrivateKey.generate().sign(signed.encode()))}"


def _key(private: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(private))


def _part(document: Mapping[str, Any]) -> str:
    return _text(json.dumps(document).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
