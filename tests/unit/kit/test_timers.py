"""The sweep of timers: bounded batches of one shop, and one that fails holds back no other."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from kit.clock import ManualClock
from kit.errors import NotFound, Unavailable
from kit.metrics import Metrics
from kit.postgres import Database, DatabaseAway, DatabaseBusy
from kit.timers import BATCH, BUSY_MOST, GRACE_S, READ, Due, Timers
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)


class Swept(Timers):
    """Timers in memory: what is due, who leads, what was put off."""

    def __init__(self, *waiting: Due, leading: bool = True) -> None:
        self.metrics = Metrics()
        # The lease and the table stand in for by the methods below.
        super().__init__(
            cast("Database", None), metrics=self.metrics, clock=ManualClock(), every_s=1
        )
        self.waiting = list(waiting)
        self.leading = leading
        self.reads: list[int] = []
        self.put_off: list[str] = []

    @override
    async def _leading(self) -> bool:
        return self.leading

    @override
    async def _kinds_due(self, *, grace_s: float) -> Sequence[str]:
        due = any(one.late_s >= grace_s for one in self.waiting)
        return list(self._fires) if due else []

    @override
    async def _due(
        self, kind: str, place: tuple[datetime, str], *, grace_s: float
    ) -> Sequence[Due]:
        found = [
            one
            for one in self.waiting
            if one.late_s >= grace_s and (one.fire_at, one.subject_id) > place
        ][:READ]
        self.reads.append(len(found))
        return found

    @override
    async def _defer(self, kind: str, one: Due) -> None:
        self.put_off.append(one.subject_id)

    def sample(self, name: str, **labels: str) -> float | None:
        """Return what a metric says."""
        return self.metrics.registry.get_sample_value(name, labels)


class Fired:
    """A use case that notes what it was given, and fails as told."""

    def __init__(self, failures: dict[str, Exception] | None = None) -> None:
        self.batches: list[tuple[str, list[str]]] = []
        self._failures = failures or {}

    async def __call__(self, shop_id: str, subjects: Sequence[str]) -> None:
        for subject in subjects:
            if subject in self._failures:
                raise self._failures[subject]
        self.batches.append((shop_id, list(subjects)))

    @property
    def subjects(self) -> list[str]:
        """Everything that was fired, in order."""
        return [subject for _, subjects in self.batches for subject in subjects]


def timers(count: int, *, shops: int = 1, late_s: float = 60.0) -> list[Due]:
    return [
        Due(f"s{n:05}", f"shop-{n % shops}", AT + timedelta(milliseconds=n), late_s)
        for n in range(count)
    ]


async def test_a_backlog_is_read_and_fired_in_bounded_pieces_each_timer_once() -> None:
    sweep, fired = Swept(*timers(2 * READ + 7, shops=3)), Fired()
    sweep.on("kind", fired)

    await sweep.sweep()

    assert sorted(fired.subjects) == [one.subject_id for one in sweep.waiting]
    assert max(len(subjects) for _, subjects in fired.batches) <= BATCH
    assert sweep.reads == [READ, READ, 7]
    for shop_id, subjects in fired.batches:
        assert {one.shop_id for one in sweep.waiting if one.subject_id in subjects} == {shop_id}


async def test_on_a_quiet_day_no_kind_is_read() -> None:
    sweep, fired = Swept(), Fired()
    sweep.on("kind", fired)
    sweep.on("other", fired)

    await sweep.sweep()

    assert sweep.reads == []
    assert sweep.sample("peakdesk_timers_oldest_seconds") == 0


async def test_a_backlog_of_one_kind_does_not_hold_up_another() -> None:
    sweep, order = Swept(*timers(2 * READ)), list[str]()

    def noting(kind: str) -> Any:
        async def fire(_shop_id: str, _subjects: Sequence[str]) -> None:
            order.append(kind)

        return fire

    sweep.on("backlog", noting("backlog"))
    sweep.on("other", noting("other"))
    await sweep.sweep()

    assert order.index("other") == READ // BATCH


async def test_one_that_fails_is_put_off_alone_and_said_so() -> None:
    failures: dict[str, Exception] = {"s00013": ZeroDivisionError(), "s00077": NotFound()}
    sweep, fired = Swept(*timers(100)), Fired(failures)
    sweep.on("kind", fired)

    with capture_logs() as told:
        await sweep.sweep()

    assert sorted(fired.subjects) == [
        one.subject_id for one in sweep.waiting if one.subject_id not in failures
    ]
    assert sweep.put_off == ["s00013", "s00077"]
    assert sweep.sample("peakdesk_timers_put_off_total", kind="kind") == 2
    assert [(line["event"], line["exc_info"]) for line in told] == [
        ("timers.put_off", failure) for failure in failures.values()
    ]


async def test_a_database_that_is_away_puts_nothing_off() -> None:
    sweep = Swept(*timers(3))
    sweep.on("kind", Fired({"s00001": DatabaseAway()}))

    with pytest.raises(DatabaseAway):
        await sweep.sweep()

    assert sweep.put_off == []


async def test_a_busy_database_is_no_timers_fault_and_leaves_only_its_shop() -> None:
    busy: dict[str, Exception] = {"s00004": DatabaseBusy()}
    sweep, fired = Swept(*timers(30, shops=3)), Fired(busy)
    sweep.on("kind", fired)

    with capture_logs() as told, pytest.raises(DatabaseBusy):
        await sweep.sweep()

    assert {shop_id for shop_id, _ in fired.batches} == {"shop-0", "shop-2"}
    assert sweep.put_off == []
    assert [(line["event"], line["shop_id"]) for line in told] == [("timers.left", "shop-1")]
    busy.clear()
    await sweep.sweep()
    assert sum(subjects.count("s00004") for _, subjects in fired.batches) == 1


async def test_in_general_trouble_a_sweep_tries_few_shops_and_the_next_one_others() -> None:
    sweep, shops = Swept(*timers(8 * BUSY_MOST, shops=8)), list[str]()

    async def refused(shop_id: str, _subjects: Sequence[str]) -> None:
        shops.append(shop_id)
        raise Unavailable

    sweep.on("kind", refused)

    for _ in range(4):
        with pytest.raises(Unavailable):
            await sweep.sweep()

    assert len(shops) == 4 * BUSY_MOST
    assert shops[:8] == [f"shop-{n}" for n in range(8)]
    assert sweep.put_off == []


async def test_trouble_of_one_kind_keeps_no_other_from_firing() -> None:
    sweep, fired = Swept(*timers(READ, shops=5)), Fired()

    async def refused(_shop_id: str, _subjects: Sequence[str]) -> None:
        raise DatabaseBusy

    sweep.on("busy", refused)
    sweep.on("kind", fired)

    with pytest.raises(DatabaseBusy):
        await sweep.sweep()

    assert len(fired.subjects) == READ


async def test_who_does_not_lead_fires_only_what_was_left_lying() -> None:
    fresh, old = timers(2, late_s=GRACE_S - 0.1), timers(4, late_s=GRACE_S)[2:]
    sweep, fired = Swept(*fresh, *old, leading=False), Fired()
    sweep.on("kind", fired)

    await sweep.sweep()

    assert fired.subjects == ["s00002", "s00003"]


async def test_stopping_ends_after_the_transaction_under_way() -> None:
    sweep, fired = Swept(*timers(READ)), Fired()
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow(shop_id: str, subjects: Sequence[str]) -> None:
        await fired(shop_id, subjects)
        inside.set()
        await go_on.wait()

    sweep.on("kind", slow)
    running = asyncio.create_task(sweep.run())
    await asyncio.wait_for(inside.wait(), PATIENCE_S)
    await sweep.stop()
    go_on.set()
    await asyncio.wait_for(running, PATIENCE_S)

    assert len(fired.subjects) == BATCH


async def test_lateness_is_measured_and_the_oldest_is_shown_until_nothing_is_due() -> None:
    sweep = Swept(*timers(3, late_s=86_400.0))
    sweep.on("kind", Fired())

    await sweep.sweep()
    assert sweep.sample("peakdesk_timers_oldest_seconds") == 86_400
    assert sweep.sample("peakdesk_timer_late_seconds_count", kind="kind") == 3
    assert sweep.sample("peakdesk_timer_late_seconds_sum", kind="kind") == 3 * 86_400

    sweep.waiting.clear()
    await sweep.sweep()
    assert sweep.sample("peakdesk_timers_oldest_seconds") == 0
