"""Columns as PostgreSQL reads them."""

from datetime import UTC, datetime

import pytest

from kit import arrays

pytestmark = pytest.mark.unit


def test_a_column_is_written_as_an_array() -> None:
    assert arrays.literal(["a", None, "在吗"]) == '{"a",null,"在吗"}'
    assert arrays.literal([1, None, -3]) == "{1,null,-3}"
    assert arrays.literal([]) == "{}"
    at = datetime(2026, 11, 11, 2, 0, 0, 1, tzinfo=UTC)
    assert arrays.literal([at]) == '{"2026-11-11T02:00:00.000001Z"}'


def test_no_element_can_end_its_array_or_become_two() -> None:
    odd = ['"},{"', "a,b", "\\", "null", "line\nline", "\u2028", ""]

    assert arrays.literal([*odd, None]) == (
        '{"\\"},{\\"","a,b","\\\\","null","line\nline","\u2028","",null}'
    )
