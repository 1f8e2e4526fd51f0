"""Migrations make what the models say; seed and generations are safe to repeat."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from kit import positions
from kit.bus.kafka import KafkaBus
from kit.clock import SystemClock
from kit.positions import ForeignTopic
from kit.web.auth import Passwords
from services.conversation.administrator import founding_on
from services.conversation.app import ConversationService
from services.conversation.seed import SeedSettings, seed
from services.conversation.tables import METADATA
from tests.infrastructure import TestDatabase

pytestmark = pytest.mark.integration

QUICK = Passwords(memory_kib=64, rounds=1)


@pytest.mark.usefixtures("prepared")
async def test_the_migrations_make_what_the_models_say(database: TestDatabase) -> None:
    # Outside its own search path, Alembic names the schema as the models do.
    outside = {"server_settings": {"search_path": "pg_catalog"}}
    engine = create_async_engine(database.dsn("conversation"), connect_args=outside)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_name": _ours}
        )
        return list(compare_metadata(context, METADATA))

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []


async def test_a_second_seed_finds_everything_there(settings: SeedSettings) -> None:
    service = _service(settings)
    try:
        founding = founding_on(service.db, settings, clock=service.clock, passwords=QUICK)
        await seed(founding, settings)
        again = await seed(founding, settings)
    finally:
        await service.close()

    assert again.created == 0
    assert again.logins == ("admin", "admin@demo", "supervisor@demo", "agent1@demo")


async def test_the_audit_is_never_changed(settings: SeedSettings) -> None:
    service = _service(settings)
    try:
        with pytest.raises(DBAPIError, match="never changed"):
            async with service.db.write_across("a test") as session:
                await session.execute(text("delete from audit"))
    finally:
        await service.close()


async def test_a_topic_made_anew_needs_a_new_generation(settings: SeedSettings) -> None:
    service = _service(settings)
    topic_id = await service.bus.topic_id("chat")
    archiving = service.archive.archiving
    marks = await archiving.marks()
    try:
        number = await archiving.generation(topic_id)
        assert await archiving.begin_generation(topic_id) == number

        with pytest.raises(ForeignTopic):
            await archiving.generation("another topic")
        assert await archiving.begin_generation("another topic") == number + 1
        assert await archiving.generation("another topic") == number + 1
        assert await archiving.marks() == {}
    finally:
        # As it was found: other modules of this session go on with the same topic and database.
        async with service.db.write_across("a test") as session:
            await session.execute(text("delete from generations"))
            await positions.raise_marks(session, "chat", marks)
        await service.close()


def _service(settings: SeedSettings) -> ConversationService:
    bus = KafkaBus(settings.bootstrap_servers, prefix=settings.kafka_topic_prefix)
    return ConversationService(settings, bus, clock=SystemClock(), passwords=QUICK)


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    if kind == "schema":
        return name == "conversation"
    return name != "alembic_version"
