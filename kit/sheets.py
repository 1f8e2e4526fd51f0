"""Tables as CSV that spreadsheets open: numbers stay numbers, and no text becomes a formula.

Knows nothing of what is in a table.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final, TypeAlias

Cell: TypeAlias = str | int | float | None

MARK: Final = "\ufeff"
"""In front of a file: without it spreadsheets take UTF-8 for something else."""

_FORMULA: Final = frozenset("=+-@\t\r＝＋－＠")
_IGNORED: Final = "\ufeff\u200b\u200c\u200d\u2060"
"""What is seen by nobody, and passed over by some who look for a formula."""


def lines(rows: Sequence[Sequence[Cell]]) -> str:
    """Return rows as lines of CSV."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(
        [_safe(cell) for cell in row] for row in rows
    )
    return written.getvalue()


def _safe(cell: Cell) -> Cell:
    """Return a cell as it is written: a text that would be a formula gets a leading quote."""
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    for character in text:
        if character in _FORMULA:
            return True
        if not (character.isspace() or character in _IGNORED):
            return False
    return False
