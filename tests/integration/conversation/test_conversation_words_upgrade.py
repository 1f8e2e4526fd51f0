"""The index of words, made anew where a release looks things up by other keys than that before."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kit.postgres import Database
from tests.infrastructure import Infrastructure, create_database, drop_database

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

WRITE = """
insert into words (message_id, shop_id, conversation_id, sender_id, at, keys)
values (gen_random_uuid(), 'shop', gen_random_uuid(), 'agent', now(), array[1, 2])
"""
"""As a follower of the release before indexed a message."""

REACH = "insert into words_reach (partition, generation, next_offset) values (0, 1, 100)"
LEFT = "select (select count(*) from words) + (select count(*) from words_reach)"


async def test_what_was_indexed_by_other_keys_is_gone_and_no_more_of_it_comes(
    infra: Infrastructure,
) -> None:
    made = await create_database(infra)
    await made.migrate("conversation", revision="0037")
    database = Database(made.dsn("conversation"), schema="conversation")
    try:
        async with database.write_across("a test") as session:
            await session.execute(text(WRITE))
            await session.execute(text(REACH))
        await made.migrate("conversation")
        with pytest.raises(DBAPIError, match="keys"):
            async with database.write_across("a test") as session:
                await session.execute(text(WRITE))
        async with database.read_across("a test") as session:
            left = (await session.execute(text(LEFT))).scalar_one()
    finally:
        await database.close()
        await drop_database(infra, made.name)

    assert left == 0
