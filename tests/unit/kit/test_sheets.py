"""What a spreadsheet makes of a file: the numbers that were meant, and texts that do nothing."""

import csv
import io

import pytest

from kit import sheets

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠a",
        " =1", "\u3000=1", "\u00a0+1", "\ufeff=1", " \ufeff\u200b =1", "\n=1", '=HYPERLINK("x")',
    ],
)  # fmt: skip
def test_a_text_is_no_formula(text: str) -> None:
    ((read,),) = csv.reader(io.StringIO(sheets.lines([[text]]), newline=""))

    assert read == f"'{text}"


@pytest.mark.parametrize("text", ["安妮", "a=b", "1-2", "", "  ", "客服 +1", "a,b", 'a"b', "a\nb"])
def test_a_text_that_is_none_stays_as_it_is(text: str) -> None:
    (read,) = csv.reader(io.StringIO(sheets.lines([[text, "."]]), newline=""))

    assert read == [text, "."]


def test_numbers_are_numbers_also_below_zero_and_what_is_not_known_is_empty() -> None:
    assert (
        sheets.lines([["a", -5, 2.5, None], ["b", 0, -0.5, None]]) == "a,-5,2.5,\r\nb,0,-0.5,\r\n"
    )
