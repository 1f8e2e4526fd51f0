"""The fixtures that every integration test stands on."""

import asyncpg
import pytest

from tests.infrastructure import TestDatabase

pytestmark = pytest.mark.integration


async def test_a_service_role_has_the_rows_of_its_own_schema_and_makes_nothing(
    database: TestDatabase,
) -> None:
    await database.alter("orders", "CREATE TABLE orders.probe (id int)")
    await database.alter("conversation", "CREATE TABLE conversation.probe (id int)")
    async with database.connected("orders") as connection:
        await connection.execute("INSERT INTO probe VALUES (1)")
        for refused in (
            "CREATE TABLE orders.another (id int)",
            "DROP TABLE orders.probe",
            "SELECT * FROM conversation.probe",
            "SET ROLE pd_orders_owner",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(refused)
    await database.alter("orders", "DROP TABLE orders.probe")
    await database.alter("conversation", "DROP TABLE conversation.probe")


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
