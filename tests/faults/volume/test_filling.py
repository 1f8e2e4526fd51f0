"""`just prove volume` fills what it says it fills: tried with few rows, in the default run."""

import asyncpg
import pytest

from tests.faults.volume.filling import Filled, administering, filled
from tests.faults.volume.masses import LIVE, MASSES, conversation_id, live, shop_of
from tests.infrastructure import Infrastructure

pytestmark = pytest.mark.integration

FEW = 2000
"""As many as two windows of conversations that go on at once."""

_CATALOG = """
select n.nspname || '.' || c.relname as of, pg_get_indexdef(i.indexrelid) as words
from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('conversation', 'orders', 'aftersales', 'monitor')
union all
select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
where connamespace::regnamespace::text in ('conversation', 'orders', 'aftersales', 'monitor')
"""


async def test_every_table_is_filled_and_has_again_what_migrations_gave_it(
    infra: Infrastructure,
) -> None:
    said: list[str] = []
    async with (
        filled(infra, 0, say=said.append) as none,
        filled(infra, FEW, say=said.append) as few,
    ):
        before, after = await _catalog(none), await _catalog(few)
        counts = {mass.table: await _rows(few, mass.table) for mass in MASSES}
        bare = {mass.table: await _rows(none, mass.table) for mass in MASSES}
        talks = await _talks(few)

    assert before == after
    assert {table: counts[table] - bare[table] for table in counts} == {
        mass.table: mass.rows(FEW) for mass in MASSES
    }
    assert talks == {conversation_id(n): (shop_of(n), 10) for n in live(FEW)}
    assert len(talks) == FEW // LIVE
    assert any("conversation.messages: 20000 rows" in line for line in said)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await _rows(few, MASSES[0].table)


async def _catalog(made: Filled) -> list[tuple[str, str]]:
    async with administering(made.administrator) as connection:
        return sorted((row["of"], row["words"]) for row in await connection.fetch(_CATALOG))


async def _rows(made: Filled, table: str) -> int:
    async with administering(made.administrator) as connection:
        return int(await connection.fetchval(f"select count(*) from {table}"))


async def _talks(made: Filled) -> dict[str, tuple[str, int]]:
    """Return shop and messages of each conversation of the mass that somebody has."""
    async with administering(made.administrator) as connection:
        rows = await connection.fetch(
            """
            select c.id, c.shop_id, count(m.message_id) as said from conversation.conversations c
            join conversation.staff s on s.id = c.agent_id and s.state = 'online'
            join conversation.messages m on m.conversation_id = c.id
            where c.state = 'assigned' and c.id < '00000000-0000-7000-0000-000000000000'
            group by 1, 2
            """
        )
        return {str(row["id"]): (row["shop_id"], row["said"]) for row in rows}
