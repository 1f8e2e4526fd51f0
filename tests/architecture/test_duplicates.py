"""Nothing longer than a dozen statements is written in two services; a planted copy is found."""

import tomllib
from pathlib import Path
from typing import Final

import pytest

from tools.duplicates import LIMIT, Duplicate, find

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[2]

TWELVE: Final = '''"""What an order costs."""

from services.orders.schemas import Line


def total(lines: list[Line], *, limit: int) -> int:
    """Return the price of all lines."""
    if not lines:
        return 0
    found = 0
    for line in lines:
        if line.count > 99:
            raise ValueError("too many")
        price = line.price * line.count
        found += price
    if found > limit:
        found = limit
    log.info("total", found=found)
'''
LONG: Final = f"{TWELVE}    return found\n"
"""A function with one statement more."""

COPY: Final = '''"""What a case gives back."""

import structlog

from services.aftersales.schemas import Part

LARGEST = 7


class Refunds:
    """A copy with names, words, figures and types of its own, in another place of its file."""

    def parts(self) -> str:
        """Something else."""
        return "parts"

    def refund(parts: tuple[Part, ...], *, most: float) -> float:
        # Nothing to give back.
        if not parts:
            return 1
        sum_ = 5
        for part in parts:
            if part.count > 7:
                raise ValueError("so many")
            given = part.price * part.count
            sum_ += given
        if sum_ > most:
            sum_ = most
        log.info("refund", found=sum_)
        return sum_
'''


def planted(tmp_path: Path, **files: str) -> list[Duplicate]:
    """Return what is found in these files; `__` stands for a folder."""
    for name, source in files.items():
        path = tmp_path / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return find(tmp_path)


def test_no_service_repeats_another() -> None:
    found = find()

    assert not found, "say it once, in kit or below both:\n" + "\n".join(map(str, found))


def test_a_copy_with_other_names_words_and_types_is_found_once(tmp_path: Path) -> None:
    (found,) = planted(tmp_path, orders__trade__prices=LONG, aftersales__refunds=COPY)

    assert str(found) == "aftersales/refunds.py:17-30 is orders/trade/prices.py:6-19"


def test_as_many_statements_as_allowed_are_left_alone(tmp_path: Path) -> None:
    copy = COPY.replace("        return sum_\n", "")

    assert LIMIT == 12
    assert planted(tmp_path, orders__prices=TWELVE, aftersales__refunds=copy) == []


def test_several_short_functions_in_a_row_are_a_copy_too(tmp_path: Path) -> None:
    functions = "\n".join(
        f"def part{number}(row):\n    log.info('part')\n    row.go()\n    return row.step\n"
        for number in range(4)
    )
    others = functions.replace("part", "piece").replace("row", "one")

    (found,) = planted(tmp_path, orders__parts=functions, monitor__sub__pieces=f"X = 1\n{others}")
    assert (found.one.first, found.two.first) == (2, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("part.count > 7", "part.count >= 7"),
        ("part.price * part.count", "part.price * part.number"),
        ("log.info", "log.debug"),
        ("ValueError", "KeyError"),
    ],
)
def test_what_does_something_else_is_no_copy(tmp_path: Path, old: str, new: str) -> None:
    assert planted(tmp_path, orders__prices=LONG, aftersales__refunds=COPY.replace(old, new)) == []


def test_fields_and_statements_of_other_content_are_no_copies(tmp_path: Path) -> None:
    fields = "\n".join(f"    {name}: int" for name in "abcdefghijklmn")
    texts = "\n".join(f"T{number} = 'select {number}'" for number in range(14))

    found = planted(
        tmp_path,
        orders__views=f"class View:\n{fields}\n",
        aftersales__views=f"class Other:\n{fields.replace('a:', 'z:').replace('b:', 'y:')}\n",
        orders__texts=texts,
        aftersales__texts=texts.replace("select", "delete"),
    )
    assert found == []


def test_one_service_and_what_is_alike_on_purpose_are_left_out(tmp_path: Path) -> None:
    found = planted(
        tmp_path,
        orders__prices=LONG,
        orders__again=LONG,
        aftersales__app=LONG,
        aftersales__models=LONG,
        monitor__boards__models=LONG,
        monitor__migrations__versions__one=LONG,
    )
    assert found == []


def test_tools_are_checked_and_not_installed() -> None:
    tool = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]

    assert "tools" in tool["mypy"]["files"]
    assert "tools" in tool["importlinter"]["root_packages"]
    assert "tools" not in tool["hatch"]["build"]["targets"]["wheel"]["packages"]
