"""Tells of a stretch of days how buyers waited, what became of words, and who was at work.

Must not know routes or SQL.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple
from datetime import UTC, datetime
from typing import Any, Final

from contracts.people import PersonId, ShopId
from kit import sheets
from kit.clock import Clock
from kit.postgres import Database
from services.monitor.access.schemas import Figure, Why
from services.monitor.calendar.domain import Calendar
from services.monitor.curve import repository as curve
from services.monitor.curve.domain import MINUTE_MS, Minute, waiting
from services.monitor.directory.rules import Rules
from services.monitor.figures.domain import Bucket, parts
from services.monitor.reports import repository
from services.monitor.reports.domain import (
    HOURS,
    WORDING_SUMS,
    Hours,
    HoursBy,
    WaitsPart,
    WordingBy,
    WordingCount,
)
from services.monitor.reports.repository import Asked
from services.monitor.reports.schemas import (
    DaysQuery,
    HoursQuery,
    HoursReport,
    HoursRow,
    Waits,
    WaitsQuery,
    WaitsRow,
    WordingQuery,
    WordingReport,
    WordingRow,
    WordingSums,
)
from services.monitor.traffic import repository as turns
from services.monitor.traffic.domain import first_whole

SETTLE_MS: Final = 5_000
"""So long behind a moment it is taken for told: what was said by then has arrived."""

_WAITS: Final = ("start", "began", "ended", "most", "waited_minutes")


class Reports:
    """Reads reports. Readers may add sums, and must not add `most`."""

    def __init__(self, database: Database, rules: Rules, *, clock: Clock) -> None:
        self._db = database
        self._directory = rules.directory
        self._staffing = rules.staffing
        self._clock = clock

    async def waits(self, shop_id: ShopId, query: WaitsQuery) -> Waits:
        """Return how buyers waited, part by part, up to the minute that runs."""
        calendar = self._directory.calendar(shop_id)
        start_ms, end_ms = _moments(calendar, query)
        now_ms = self._clock.now_ms()
        async with self._db.read(shop_id) as session:
            settled = await curve.days(session, shop_id, start=query.start, end=query.end)
            still = await curve.still(session, shop_id)
        rows: list[WaitsRow] = []
        day_ms = start_ms
        while day_ms < min(end_ms, now_ms):
            next_ms = calendar.day_end(day_ms)
            mine = settled.get(calendar.day(day_ms), {})
            day = _Day(mine, still, start_ms=day_ms, end_ms=min(next_ms, now_ms))
            bucket = parts(calendar, day_ms, next_ms, bucket=Bucket(query.bucket))
            rows += [_waits_row(part) for part in day.parts(bucket)]
            day_ms = next_ms
            await asyncio.sleep(0)
        return Waits(
            shop_id=shop_id,
            time_zone=str(calendar.zone),
            start=_moment(start_ms),
            end=_moment(end_ms),
            bucket=query.bucket,
            rows=rows,
        )

    async def wording(self, shop_id: ShopId, query: WordingQuery) -> WordingReport:
        """Return what became of words, by category, agent or day."""
        calendar = self._directory.calendar(shop_id)
        start_ms, end_ms = _moments(calendar, query)
        days = parts(calendar, start_ms, end_ms, bucket=Bucket.DAY)
        asked = Asked(shop_id, start_ms, end_ms, days)
        async with self._db.read(shop_id) as session:
            whole = await repository.wording(session, asked, by=None)
            found = await repository.wording(session, asked, by=query.by)
        found.pop(None, None)
        return WordingReport(
            shop_id=shop_id,
            time_zone=str(calendar.zone),
            start=_moment(start_ms),
            end=_moment(end_ms),
            by=query.by,
            whole=WordingSums(**asdict(whole.get(None, WordingCount()))),
            rows=[
                WordingRow(**asdict(count), **_about(query.by, key, days))
                for key, count in _in_order(query.by, found)
            ],
        )

    async def waits_csv(self, shop_id: ShopId, query: WaitsQuery) -> str:
        """Return the same rows as a file, moments by the shop's clock."""
        report, zone = await self.waits(shop_id, query), self._directory.calendar(shop_id).zone
        rows = (
            (row.start.astimezone(zone).isoformat(), row.began, row.ended, row.most,
             row.waited_minutes)
            for row in report.rows
        )  # fmt: skip
        return sheets.MARK + sheets.lines([_WAITS, *rows])

    async def wording_csv(self, shop_id: ShopId, query: WordingQuery) -> str:
        """Return the same rows as a file."""
        report, zone = await self.wording(shop_id, query), self._directory.calendar(shop_id).zone

        def about(row: WordingRow) -> str:
            if row.agent_id is not None:
                return self._directory.name(row.agent_id)
            return row.category or (row.start or report.start).astimezone(zone).isoformat()

        rows = ((about(row), *(getattr(row, name) for name in WORDING_SUMS)) for row in report.rows)
        return sheets.MARK + sheets.lines([(query.by.value, *WORDING_SUMS), *rows])

    async def hours(self, shop_id: ShopId, query: HoursQuery) -> HoursReport:
        """Return how long agents were what, by agent or day, as far as it is told by now."""
        calendar = self._directory.calendar(shop_id)
        start_ms, end_ms = _moments(calendar, query)
        through_ms = min(self._clock.now_ms(), self._staffing.through_ms)
        told_ms = max(start_ms, min(end_ms, through_ms))
        days = parts(calendar, start_ms, end_ms, bucket=Bucket.DAY)
        asked = Asked(shop_id, start_ms, told_ms, [*days, end_ms])
        async with self._db.read(shop_id) as session:
            found = await repository.hours(session, asked, by=query.by)
            served_from = first_whole(calendar, await turns.told_since_ms(session))
        provisional = through_ms < end_ms + SETTLE_MS
        starts = days if query.by is HoursBy.DAY else None
        return HoursReport(
            shop_id=shop_id,
            time_zone=str(calendar.zone),
            start=_moment(start_ms),
            end=_moment(end_ms),
            as_of=_moment(min(end_ms, through_ms)) if self._staffing.through_ms else None,
            served_from=served_from,
            by=query.by,
            rows=[
                _hours_row(key, found[key], days=starts, provisional=provisional)
                for key in _worked(query.by, found)
            ],
        )

    async def hours_csv(self, shop_id: ShopId, query: HoursQuery) -> str:
        """Return the same rows as a file, moments by the shop's clock."""
        report, zone = await self.hours(shop_id, query), self._directory.calendar(shop_id).zone

        def clock(at: datetime | None) -> str:
            return "" if at is None else at.astimezone(zone).isoformat()

        rows = (
            (
                clock(row.start) if row.agent_id is None else self._directory.name(row.agent_id),
                row.agents,
                clock(row.first),
                clock(row.last),
                *(getattr(row, name) for name in HOURS),
                row.utilisation.numerator,
                row.utilisation.value,
            )
            for row in report.rows
        )
        served = ("served_ms", "utilisation")
        head = (query.by.value, "agents", "first", "last", *HOURS, *served)
        return sheets.MARK + sheets.lines([head, *rows])


class _Day:
    """The minutes of a day, as far as they have begun."""

    def __init__(
        self,
        settled: dict[int, Minute],
        still: Sequence[tuple[int, int]],
        *,
        start_ms: int,
        end_ms: int,
    ) -> None:
        self._first = start_ms // MINUTE_MS
        end = -(-end_ms // MINUTE_MS)
        self._waiting = waiting(settled, still, first=self._first, end=end)
        self._minutes = dict(settled)
        for minute, count in still:
            known = self._minutes.get(minute, Minute())
            self._minutes[minute] = known.plus(Minute(opened=count))

    def parts(self, starts: Sequence[int]) -> Iterator[WaitsPart]:
        """Yield the parts that begin there, as far as they have begun."""
        last = self._first + len(self._waiting)
        borders = [at // MINUTE_MS for at in starts]
        for at_ms, first, end in zip(starts, borders, [*borders[1:], last], strict=True):
            numbers = self._waiting[first - self._first : max(first, end) - self._first]
            if not numbers:
                return
            minutes = range(first, first + len(numbers))
            mine = [one for minute in minutes if (one := self._minutes.get(minute)) is not None]
            began, ended = sum(one.opened for one in mine), sum(one.closed for one in mine)
            yield WaitsPart(at_ms, began, ended, max(numbers), sum(numbers))


def _waits_row(part: WaitsPart) -> WaitsRow:
    return WaitsRow(
        start=_moment(part.start_ms),
        began=part.began,
        ended=part.ended,
        most=part.most,
        waited_minutes=part.waited_minutes,
    )


def _in_order(by: WordingBy, found: dict[Any, WordingCount]) -> Iterable[tuple[Any, WordingCount]]:
    """Put days in their order, and what else there is by how much there was of it."""
    if by is WordingBy.DAY:
        return sorted(found.items())
    return sorted(found.items(), key=lambda item: (-sum(astuple(item[1])), item[0]))


def _about(by: WordingBy, key: Any, days: Sequence[int]) -> dict[str, Any]:
    match by:
        case WordingBy.CATEGORY:
            return {"category": key}
        case WordingBy.AGENT:
            return {"agent_id": PersonId(key)}
        case WordingBy.DAY:
            return {"start": _moment(days[key - 1])}


def _worked(by: HoursBy, found: dict[Any, Hours]) -> list[Any]:
    """Put days in their order, and agents by how long they were at their desks."""
    if by is HoursBy.DAY:
        return sorted(found)
    return sorted(found, key=lambda one: (-found[one].online_ms - found[one].busy_ms, one))


def _hours_row(
    key: Any, hours: Hours, *, days: Sequence[int] | None, provisional: bool
) -> HoursRow:
    about: dict[str, Any] = (
        {"agent_id": PersonId(key)} if days is None else {"start": _moment(days[key - 1])}
    )
    return HoursRow(
        agents=hours.agents,
        first=None if hours.first_ms is None else _moment(hours.first_ms),
        last=None if hours.last_ms is None else _moment(hours.last_ms),
        **{name: getattr(hours, name) for name in HOURS},
        utilisation=Figure.of(
            hours.served_ms,
            hours.online_ms + hours.busy_ms,
            why=Why.NO_EVENTS,
            provisional=provisional,
        ),
        **about,
    )


def _moments(calendar: Calendar, query: DaysQuery) -> tuple[int, int]:
    return calendar.midnight(query.start), calendar.midnight(query.end)


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
