"""Under which names this door is reached, and from which pages browsers may speak to it. Pure.

A name is looked at as well as an origin: a page of another site may let its own name lead to this
machine, and its origin then equals the host that it asks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kit.errors import Forbidden

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""This machine's own names; no other machine is reached by them."""

_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
_WEB: Final = frozenset({"http", "https"})


class BadOrigin(Forbidden):
    """A page of another site speaks to us, or to a name that is not ours."""

    slug, title = "bad_origin", "Pages of this origin are not allowed"


@dataclass(frozen=True, slots=True)
class Hosts:
    """`names` are hosts without port, beside this machine's own; `origins` other sites' pages."""

    names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    def is_ours(self, host: str) -> bool:
        """Tell whether a request that names this host, with or without a port, is meant for us."""
        return _name(host) in self.names | LOOPBACK

    def is_own_page(self, origin: str, host: str) -> bool:
        """Tell whether a page of this origin was served by the host that it asks, which is us."""
        scheme, separator, place = origin.partition("://")
        return (
            scheme in _WEB
            and bool(separator)
            and place.lower() == host.lower()
            and self.is_ours(host)
        )

    def check(self, origins: Sequence[str], host: str, *, own_alone: bool = False) -> None:
        """Refuse pages of other sites; with `own_alone`, listed ones too. Raises `BadOrigin`.

        `origins` are the values of the header: browsers send one.
        """
        if len(origins) != 1:
            raise BadOrigin
        (origin,) = origins
        listed = not own_alone and origin in self.origins
        if not listed and not self.is_own_page(origin, host):
            raise BadOrigin


def is_loopback(host: str) -> bool:
    """Tell whether a host, with or without a port, is this machine's own name."""
    return _name(host) in LOOPBACK


def port_of(host: str) -> str:
    """Return the port that a host names, empty where it names none."""
    found = _HOST.fullmatch(host)
    return found["port"] or "" if found else ""


def _name(host: str) -> str:
    """Return the name in a host, empty for what is none."""
    found = _HOST.fullmatch(host)
    return found["name"].strip("[]").lower() if found else ""
