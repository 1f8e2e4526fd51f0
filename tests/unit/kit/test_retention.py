"""Old rows go batch by batch, and a sweep that missed a day catches up."""

import pytest

from kit.clock import ManualClock
from kit.errors import Unavailable
from kit.service.retention import AT_MOST_S, Retention

pytestmark = pytest.mark.unit


class Rows:
    """A table's old rows: a batch takes `limit` of them and `took_s` of the clock."""

    def __init__(
        self, clock: ManualClock, count: int, *, limit: int = 10, took_s: float = 0.0
    ) -> None:
        self._clock = clock
        self.count = count
        self.batches = 0
        self._limit = limit
        self._took_s = took_s

    async def __call__(self) -> int:
        self.batches += 1
        self._clock.advance(self._took_s)
        gone = min(self.count, self._limit)
        self.count -= gone
        return gone


async def test_a_sweep_that_missed_a_day_catches_up() -> None:
    clock = ManualClock()
    retention, rows = Retention(clock), Rows(clock, 95)
    retention.add(rows)

    await retention.sweep()

    assert rows.count == 0
    assert rows.batches == 11  # ten that found something, and the one that found nothing


async def test_a_sweep_ends_in_time_and_the_next_goes_on_where_it_stopped() -> None:
    clock = ManualClock()
    retention, rows = Retention(clock), Rows(clock, 100, took_s=AT_MOST_S / 4)
    retention.add(rows)

    await retention.sweep()
    assert rows.count == 60
    await retention.sweep()
    assert rows.count == 20


async def test_one_table_s_backlog_keeps_nobody_from_a_batch() -> None:
    clock = ManualClock()
    retention = Retention(clock)
    many, few = Rows(clock, 10_000, took_s=AT_MOST_S), Rows(clock, 3)
    retention.add(many)
    retention.add(few)

    await retention.sweep()

    assert few.count == 0


async def test_what_returns_no_number_is_called_once() -> None:
    retention = Retention(ManualClock())
    called: list[str] = []

    async def clean() -> None:
        called.append("clean")

    retention.add(clean)
    await retention.sweep()

    assert called == ["clean"]


async def test_an_outage_is_for_whoever_keeps_the_pace() -> None:
    retention = Retention(ManualClock())

    async def away() -> int:
        raise Unavailable

    retention.add(away)

    with pytest.raises(Unavailable):
        await retention.sweep()
