"""Whose request it is: the peer's address, or the one that trusted proxies saw (H42).

The one reader of `X-Forwarded-For`, for REST and sockets alike. Knows addresses and header lines.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from kit.web.head import Line

HOPS_LIMIT: Final = 16
"""Proxies that are followed; a longer chain ends at the last one followed."""

_HEADER: Final = b"x-forwarded-for"


class TrustedProxies:
    """The networks whose word about a client is taken."""

    def __init__(self, networks: str = "") -> None:
        """Take addresses or networks, separated by commas. Raises `ValueError` for anything else.

        Host bits beside a mask are an error: `10.1.2.3/8` is rarely what was meant.
        """
        entries = (entry.strip() for entry in networks.split(","))
        self._networks = [ip_network(entry) for entry in entries if entry]

    def __contains__(self, address: str) -> bool:
        found = _address(address)
        return found is not None and self._trusts(found)

    def client_of(self, peer: str, lines: Iterable[Line]) -> str:
        """Return the address that a request comes from.

        Each proxy appends the address that it saw, so the chain is read from the right, over all
        lines of the header, past trusted proxies: the first other address is the client. A chain
        that breaks off (nothing there, or nothing that is an address) ends at the last proxy.
        """
        client = _address(peer)
        if client is None:
            return peer
        if self._networks and self._trusts(client):
            for hop in _hops(lines):
                found = _address(hop)
                if found is None:
                    break
                client = found
                if not self._trusts(client):
                    break
        return str(client)

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)


def neighbourhood(address: str) -> str:
    """Return what limits per address count by: of IPv6 a /64, for one subscriber has all of it."""
    found = _address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return address


def _hops(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the chain from its near end, at most `HOPS_LIMIT` of it."""
    chain = b",".join(value for name, value in lines if name == _HEADER).decode("latin-1")
    for _ in range(HOPS_LIMIT):
        chain, comma, hop = chain.rpartition(",")
        yield hop
        if not comma:
            return


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, with or without a port as some balancers write it."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
