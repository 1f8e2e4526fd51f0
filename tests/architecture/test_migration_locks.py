"""A migration of a live installation never holds back the writers of a table while it reads it."""

import re
from pathlib import Path

import pytest

from tests.deployed import CHECKOUT

pytestmark = pytest.mark.unit

MIGRATIONS = sorted(CHECKOUT.glob("services/*/migrations/versions/*.py"))

_INDEXED = re.compile(r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+\S+\s+ON\s+(\S+)", re.IGNORECASE)
_MADE = re.compile(r"CREATE\s+TABLE\s+(\S+)", re.IGNORECASE)


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parts[-4]}/{path.stem}")
def test_an_index_on_a_table_that_is_in_use_is_built_beside_its_writers(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    assert set(_INDEXED.findall(source)) <= set(_MADE.findall(source)), (
        "use kit.tables.index: a plain CREATE INDEX locks the table"
    )


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parts[-4]}/{path.stem}")
def test_a_migration_that_builds_an_index_outside_a_transaction_does_nothing_else(
    path: Path,
) -> None:
    source = path.read_text(encoding="utf-8")

    assert not ("tables.index(" in source and "op." in source)


def test_the_migrations_of_a_service_are_one_chain_in_the_order_of_their_numbers() -> None:
    for service in {path.parents[2] for path in MIGRATIONS}:
        before = None
        for path in sorted(service.glob("migrations/versions/*.py")):
            source = path.read_text(encoding="utf-8")
            revision, _, _ = path.stem.partition("_")
            assert f'\nrevision: Final = "{revision}"\n' in source, path
            told = "None" if before is None else f'"{before}"'
            assert f"\ndown_revision: Final = {told}\n" in source, path
            before = revision
