"""The head of a request: what REST and upgrades alike refuse in host, headers and query.

Knows raw header lines, names in lower case; must not know connections, bodies or routes.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from kit.web.problems import BadRequest

Line = tuple[bytes, bytes]
"""A header's name and value."""

_HOST: Final = re.compile(
    rb"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
_ASCII_SINGLETONS: Final = frozenset({b"idempotency-key", b"if-match", b"content-type"})
_SIGNED_DELIVERY: Final = b"webhook-"
_TOKEN_NAMES: Final = frozenset(
    {"token", "access_token", "refresh_token", "id_token", "authorization", "jwt", "bearer"}
)


class TokenInUrl(BadRequest):
    """A token stands in the URL, where logs and histories keep it."""

    slug, title = "token_in_url", "Send the token in the Authorization header, never in the URL"


class BadHost(BadRequest):
    """The Host header is missing, doubled, or no host."""

    slug, title = "bad_host", "The Host header is not valid"


class RepeatedHeader(BadRequest):
    """A header that has one meaning comes twice: two readers could each believe another one."""

    slug, title = "repeated_header", "Send this header once"


class HeaderNotAscii(BadRequest):
    """A header that we compare byte by byte holds bytes that have no agreed meaning."""

    slug, title = "header_not_ascii", "Send this header in ASCII"


def check_host(lines: Iterable[Line]) -> None:
    """Raise `BadHost` unless the request names one host."""
    hosts = [value for name, value in lines if name == b"host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise BadHost


def check_singletons(lines: Iterable[Line]) -> None:
    """Raise `RepeatedHeader` or `HeaderNotAscii` for what must be one clear value (H41, H42)."""
    lines = list(lines)
    for name, count in Counter(name for name, _ in lines).items():
        if count > 1 and (name == b"authorization" or _is_ascii_singleton(name)):
            raise RepeatedHeader(f"The header {name.decode('ascii')} is repeated.")
    for name, value in lines:
        if _is_ascii_singleton(name) and not value.isascii():
            raise HeaderNotAscii(f"The header {name.decode('ascii')} is not ASCII.")


def check_no_token(query: str) -> None:
    """Raise `TokenInUrl` if a parameter is named like a token."""
    if any(name.lower() in _TOKEN_NAMES for name, _ in parse_qsl(query)):
        raise TokenInUrl


def _is_ascii_singleton(name: bytes) -> bool:
    return name in _ASCII_SINGLETONS or name.startswith(_SIGNED_DELIVERY)
