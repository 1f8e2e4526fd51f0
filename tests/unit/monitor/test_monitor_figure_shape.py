"""What one figure says of itself (N7)."""

import pytest

from services.monitor.access.schemas import Figure, Why

pytestmark = pytest.mark.unit


def test_n7_a_figure_is_a_numerator_over_a_denominator() -> None:
    told = Figure.of(3, 4, why=Why.NO_TRAFFIC)

    assert (told.value, told.numerator, told.denominator, told.why) == (0.75, 3, 4, None)


def test_n7_nothing_to_divide_by_is_null_and_says_why() -> None:
    told = Figure.of(0, 0, why=Why.NO_TRAFFIC, provisional=True)

    assert told.model_dump(mode="json") == {
        "value": None, "numerator": 0, "denominator": 0, "provisional": True, "why": "no_traffic",
    }  # fmt: skip
