"""What row-level security does not hold back stands on a page, with reasons, and nothing else."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Table, Text

from kit import row_security, tables
from launcher.postgres.roles import DATABASE_SERVICES
from tools import second_wall

pytestmark = pytest.mark.unit

PAGE = Path(__file__).resolve().parents[2] / "docs/second-wall.md"

PLANTED = """
WHY = "every shop"

class Sweep:
    async def run(self) -> None:
        async with self._db.write_across(WHY) as session: ...
        async with self._db.read("shop") as session: ...

def of(database: Database) -> object:
    return database.read_across(reason="a login names no shop")
"""


def test_the_page_is_what_the_sources_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == second_wall.page(), "see how it is written on it"


def test_a_planted_call_is_found_with_its_reason() -> None:
    assert list(second_wall.calls("services.orders.planted", PLANTED)) == [
        ("services.orders.planted.Sweep.run", "write_across", "every shop"),
        ("services.orders.planted.of", "read_across", "a login names no shop"),
    ]


def test_a_reason_is_written_in_words() -> None:
    for call in second_wall.all_calls():
        assert re.fullmatch(r"[\w' ]+", call.reason), call


@pytest.mark.parametrize("service", DATABASE_SERVICES)
def test_every_table_says_whose_rows_it_holds(service: str) -> None:
    metadata = second_wall.metadata_of(service)
    rules = {table.name: row_security.rule_of(table) for table in metadata.sorted_tables}

    assert "audit" in rules or service == "monitor"
    for name, rule in rules.items():
        if isinstance(rule, row_security.Exempt):
            assert "shop_id" not in metadata.tables[f"{service}.{name}"].columns, name


def test_a_table_is_of_the_shop_that_its_columns_name() -> None:
    metadata = tables.metadata("planted")
    parent = Table("talks", metadata, Column("id", Text, primary_key=True), Column("shop_id", Text))
    told = Table("shops", metadata, Column("id", Text), info=row_security.of("id"))
    child = Table("remarks", metadata, Column("talk_id", Text, ForeignKey("planted.talks.id")))
    free = Table("marks", metadata, Column("topic", Text), info=row_security.exempt("no shop's"))
    lost = Table("lost", metadata, Column("mark", Text))

    shop = "current_setting('app.shop', true)"
    across = f"case when {shop} = '*' then true else"
    assert row_security.condition(parent) == f"{across} shop_id = {shop} end"
    assert row_security.condition(told) == f"{across} id = {shop} end"
    assert row_security.condition(child) == (
        f"{shop} = '*' or (select true from planted.talks p where p.id = remarks.talk_id)"
    )
    assert row_security.condition(free) is None
    with pytest.raises(row_security.Undecided, match=r"planted\.lost"):
        row_security.condition(lost)
    assert row_security.exemptions(tables.metadata("empty")) == {}
