"""Secrets of others that must be stored: sealed with a key that the database does not hold.

What is sealed says what it is about, and opens for nothing else. Knows no table.
"""

import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

_FORMAT: Final = b"\x01"
_NONCE_BYTES: Final = 12


class Unsealable(Exception):
    """Sealed with another key, about another thing, or damaged."""


class Sealer:
    """Seals texts with AES-GCM."""

    def __init__(self, key: SecretStr) -> None:
        secret = key.get_secret_value().encode()
        self._cipher = AESGCM(hmac.digest(secret, b"peakdesk.sealing", hashlib.sha256))

    def seal(self, text: str, *, about: str) -> bytes:
        """Return the text, unreadable; a second time it looks different."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, text.encode(), about.encode())

    def open(self, sealed: bytes, *, about: str) -> str:
        """Return what was sealed about this. Raises `Unsealable`."""
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _FORMAT:
            raise Unsealable
        try:
            return self._cipher.decrypt(nonce, rest, about.encode()).decode()
        except (InvalidTag, ValueError):
            raise Unsealable from None
