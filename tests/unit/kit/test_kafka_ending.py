"""Ending aiokafka's clients: whoever ends one goes on, whatever the client has been through."""

import asyncio

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection

from kit.bus.kafka.ending import end_client

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]


def never_closed() -> AIOKafkaConnection:
    """Return a connection whose transport does not let go, as on a loop that is held up."""
    connection = AIOKafkaConnection("127.0.0.1", 9)
    connection._closed_fut = asyncio.get_running_loop().create_future()
    return connection


async def test_a_client_whose_close_was_cut_short_ends_nobody_else() -> None:
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:9")
    client._conns["node"] = never_closed()
    first = asyncio.create_task(client.close())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()

    ending = asyncio.create_task(end_client(client))
    await asyncio.wait([ending])

    assert not ending.cancelled()
    assert ending.exception() is None


async def test_a_connection_that_never_closes_is_not_waited_for() -> None:
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:9")
    client._conns["node"] = never_closed()

    async with asyncio.timeout(10):
        await end_client(client)
