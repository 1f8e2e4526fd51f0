"""Which stretch of time a question about figures names."""

from zoneinfo import ZoneInfo

import pytest

from services.monitor.figures.domain import BadStretch, stretch

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("Asia/Shanghai")


def test_dates_are_the_shops_own_midnights() -> None:
    begin, until = stretch("2026-11-11", "2026-11-12", ZONE)

    assert (begin.isoformat(), until.isoformat()) == (
        "2026-11-11T00:00:00+08:00",
        "2026-11-12T00:00:00+08:00",
    )


@pytest.mark.parametrize(
    ("begin", "until"),
    [
        ("9999-12-30T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("0001-01-01", "0001-01-02"),
        ("2026-11-12", "2026-11-11"),
        ("2026-01-01", "2026-12-31"),
        ("yesterday..", "2026-11-11"),
        ("2026-13-45", "2026-11-11"),
    ],
)
def test_what_names_no_stretch_is_refused_with_a_reason(begin: str, until: str) -> None:
    with pytest.raises(BadStretch) as refused:
        stretch(begin, until, ZONE)

    assert refused.value.detail
