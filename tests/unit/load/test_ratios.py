"""`just bench NAME --check` says what is worse than it was, and nothing else."""

from pathlib import Path

import pytest

from tests.load import ratios
from tests.load.ratios import Ratio, Reference, worse

pytestmark = pytest.mark.unit

KNOWN = {"rate": Reference(median=1.0, spread=0.01), "latency": Reference(median=2.0, spread=0.3)}


def rate(*values: float) -> Ratio:
    return Ratio("rate", values, least=0.5)


def latency(*values: float) -> Ratio:
    return Ratio("latency", values, most=3.0)


def test_within_five_percent_or_twice_the_spread_nothing_is_worse() -> None:
    assert worse([rate(0.96, 0.96, 0.2), latency(2.59, 2.5, 9.0)], KNOWN) == []


def test_a_better_median_is_never_worse() -> None:
    assert worse([rate(4.0), latency(0.1)], KNOWN) == []


def test_beyond_that_a_median_is_worse_and_named_with_both_figures() -> None:
    found = worse([rate(0.94, 0.94, 2.0), latency(2.61)], KNOWN)

    assert ["rate: 0.94, was 1.00" in found[0], "latency: 2.61, was 2.00" in found[1]] == [True] * 2


def test_a_target_that_was_kept_may_still_be_worse_than_it_was() -> None:
    assert rate(0.7).verdict == "met"
    assert len(worse([rate(0.7)], KNOWN)) == 1


def test_what_promises_nothing_is_not_judged_and_what_nobody_measured_is_named() -> None:
    assert worse([Ratio("explains", [9.0])], KNOWN) == []
    assert "no target" in worse([Ratio("new", [1.0], least=0.1)], KNOWN)[0]


def test_the_page_has_a_row_for_each_and_says_where_one_is_bad(tmp_path: Path) -> None:
    page = tmp_path / "capacity.md"
    page.write_text(
        "## Targets\n\n| bench | ratio | target | median | spread |\n|---|---|---|---|---|\n"
        "| `chat` | rate | >= 0.5 | 0.28 | 0.02 |\n| `idle` | rate | <= 15 | 8.3 | 0.1 |\n"
        "\n## Next\n"
    )

    assert ratios.references("chat", page) == {"rate": Reference(0.28, 0.02)}
    page.write_text("## Targets\n| `chat` | rate | 0.28 |\n")
    with pytest.raises(ValueError, match="not 5 cells"):
        ratios.references("chat", page)
