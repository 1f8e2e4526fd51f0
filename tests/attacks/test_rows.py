"""The table of attacks is counted against the tests: each row is proved, or says why not yet."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.unit

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
ROWS = 70

NUMBERED = re.compile(r"test_attack((?:_\d\d)+)_")


class Row(NamedTuple):
    """A line of the table."""

    number: int
    attack: str
    proofs: tuple[str, ...]
    no_surface: str


def table() -> list[Row]:
    lines = (HERE / "rows.tsv").read_text(encoding="utf-8").splitlines()[1:]
    fields = (line.split("\t") for line in lines)
    return [Row(int(one[0]), one[1], tuple(one[2].split()), one[3]) for one in fields]


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(one.name for one in tree.body if isinstance(one, kinds))


def here() -> frozenset[str]:
    names = frozenset[str]().union(*map(functions_of, HERE.glob("test_*.py")))
    return frozenset(name for name in names if name.startswith("test_"))


def test_the_table_holds_every_row_once() -> None:
    assert [row.number for row in table()] == list(range(1, ROWS + 1))
    assert all(row.attack for row in table())


def test_every_row_is_proved_or_says_why_not_yet() -> None:
    open_rows = [row.number for row in table() if not row.proofs and not row.no_surface]

    assert open_rows == []


def test_every_proof_exists() -> None:
    for row in table():
        for proof in row.proofs:
            path, _, name = proof.rpartition("::")
            assert name in (functions_of(CHECKOUT / path) if path else here()), proof


def test_every_numbered_test_stands_in_its_rows() -> None:
    rows = {row.number: row.proofs for row in table()}
    numbered = {name: found[1] for name in here() if (found := NUMBERED.match(name))}
    for name, numbers in numbered.items():
        for number in numbers.strip("_").split("_"):
            assert name in rows[int(number)], f"{name} is not in row {number}"
