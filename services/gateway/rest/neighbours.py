"""The services behind this door: their addresses, and connections to each of them.

Knows how a connection is lost; must not know what is asked on one.
"""

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Final

import httpx2
from typing_extensions import override

CONNECTIONS: Final = 50
"""Requests to one service under way at once; one more waits within the timeout, then gets 503. All
pools together stay below the files that a process keeps for itself.
Other services, and what sockets ask, have pools of their own."""


class NeighbourTransport(httpx2.AsyncHTTPTransport):
    """Connections to services; one that ends in the moment in which it is made is a lost one."""

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await super().handle_async_request(request)
        except AttributeError as error:
            # anyio 4 asks uvloop for the peer of a socket that a service which just ended has
            # closed: it is None by then. Callers answer 503 to a lost connection, 500 to this.
            raise httpx2.ConnectError("lost as it was made", request=request) from error


def pool(connections: int, timeout_s: float) -> httpx2.AsyncClient:
    """Return a client with that many connections at most, made when they are first needed."""
    transport = NeighbourTransport(
        limits=httpx2.Limits(max_connections=connections), trust_env=False, verify=_authorities()
    )
    return httpx2.AsyncClient(
        transport=transport, timeout=timeout_s, follow_redirects=False, trust_env=False
    )


@cache
def _authorities() -> ssl.SSLContext:
    """Return whom every pool trusts, read once: it takes 20 ms."""
    return httpx2.create_ssl_context(trust_env=False)


class Neighbours:
    """A pool for each service, by its name: who is slow keeps nobody else waiting."""

    def __init__(self, addresses: Mapping[str, str], *, timeout_s: float) -> None:
        self.addresses = addresses
        self.pools = {name: pool(CONNECTIONS, timeout_s) for name in addresses}

    async def close(self) -> None:
        """Close what is open."""
        await asyncio.gather(*(one.aclose() for one in self.pools.values()))
