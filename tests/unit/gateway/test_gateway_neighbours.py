"""Connections to services: a service that ends in the wrong moment is away, and no failure."""

import httpx2
import pytest

from services.gateway.rest.neighbours import NeighbourTransport

pytestmark = pytest.mark.unit


class Ending:
    """A pool whose connection is closed by the other side in the moment in which it is made."""

    async def handle_async_request(self, request: object) -> object:
        raise AttributeError("'NoneType' object has no attribute 'getpeername'")


async def test_a_connection_that_ends_as_it_is_made_counts_as_lost() -> None:
    transport = NeighbourTransport()
    await transport.aclose()
    transport._pool = Ending()  # type: ignore[assignment]

    with pytest.raises(httpx2.ConnectError):
        await transport.handle_async_request(httpx2.Request("GET", "http://127.0.0.1/"))
