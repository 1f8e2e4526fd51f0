"""The gateway on the real broker, with a stand-in for the conversation service."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from contracts.topics import TOPICS
from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from tests.infrastructure import Infrastructure
from tests.integration.gateway.desk import Desk, opened


@pytest.fixture(scope="session")
def gateway_topics(infra: Infrastructure, kafka_prefix: str) -> str:
    """All topics, made once per session; their prefix."""
    prefix = f"{kafka_prefix}gw."
    bus = KafkaBus(infra.bootstrap_servers, prefix=prefix)
    wanted = [NewTopic(topic.name, 3 if topic.name == "chat" else 1) for topic in TOPICS]
    asyncio.run(create_topics(bus.connection, wanted))
    return prefix


@pytest.fixture
def bus(infra: Infrastructure, gateway_topics: str) -> KafkaBus:
    """The real broker."""
    return KafkaBus(infra.bootstrap_servers, prefix=gateway_topics, client_id="gateway-tests")


@pytest.fixture
async def desk(bus: KafkaBus) -> AsyncIterator[Desk]:
    """A running gateway."""
    async with opened(bus) as found:
        yield found
