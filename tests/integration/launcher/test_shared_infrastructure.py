"""The fixtures that every integration test stands on."""

import asyncpg
import pytest

from tests.infrastructure import TestDatabase

pytestmark = pytest.mark.integration


async def test_a_service_role_owns_its_own_schema_and_sees_no_other(database: TestDatabase) -> None:
    connection = await asyncpg.connect(database.plain_dsn("orders"))
    try:
        await connection.execute("CREATE TABLE orders.probe (id int)")
        await connection.execute("DROP TABLE probe")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE conversation.probe (id int)")
    finally:
        await connection.close()


async def test_the_owner_of_a_test_database_is_no_superuser(pg_dsn: str) -> None:
    connection = await asyncpg.connect(pg_dsn.replace("+asyncpg", ""))
    try:
        await connection.execute("CREATE SCHEMA probe")
        assert not await connection.fetchval(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()


async def test_each_session_has_a_topic_prefix_of_its_own(kafka_prefix: str) -> None:
    assert kafka_prefix.endswith(".")
