"""The conversation service on real Kafka and PostgreSQL, started for a test."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from contracts.topics import DEAD_PREFIX, GROUPS, TOPICS
from kit.bus.kafka import KafkaBus, NewTopic, create_topics
from services.conversation.seed import SeedSettings
from tests.infrastructure import Infrastructure, TestDatabase
from tests.integration.conversation.desk import PASSWORD, Platform, started

CHAT_PARTITIONS = 3


@pytest.fixture(scope="session")
def prepared(infra: Infrastructure, database: TestDatabase, kafka_prefix: str) -> str:
    """Topics and schema, made once per session; the topics' prefix."""
    bus = KafkaBus(infra.bootstrap_servers, prefix=kafka_prefix)
    names = [topic.name for topic in TOPICS] + [DEAD_PREFIX + group for group in GROUPS]
    wanted = [NewTopic(name, CHAT_PARTITIONS if name == "chat" else 1) for name in names]
    asyncio.run(create_topics(bus.connection, wanted))
    asyncio.run(database.migrate("conversation"))
    return kafka_prefix


@pytest.fixture(scope="session")
def settings(infra: Infrastructure, database: TestDatabase, prepared: str) -> SeedSettings:
    """Settings of a service of this session; the seed's fields ride along."""
    secret = SecretStr(PASSWORD)
    return SeedSettings(
        bootstrap_servers=infra.bootstrap_servers,
        kafka_topic_prefix=prepared,
        database_url=SecretStr(database.dsn("conversation")),
        seed_platform_password=secret,
        seed_admin_password=secret,
        seed_supervisor_password=secret,
        seed_agent_password=secret,
        seed_agents=1,
        trusted_proxies="127.0.0.1",
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings) -> AsyncIterator[Platform]:
    """The service, running, seeded and ready; one per module, each test opens its own shop."""
    async with started(settings) as running_platform:
        yield running_platform
