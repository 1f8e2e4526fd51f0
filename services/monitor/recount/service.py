"""Folds the log offline and compares with what the monitor stored (H22, promise P15).

Compares the rows of every measure, so a new figure is recomputed by construction.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from contracts.people import ConversationId
from contracts.topics import CHAT, DIRECTORY
from kit.bus.ports import Bus, Consumer, Record, TopicPartition
from kit.postgres import Database
from services.monitor.fold import generations
from services.monitor.fold.engine import Changes, PartitionFold, Start
from services.monitor.fold.measures import AnyMeasure, BookSpan, Kept, Measures, Row
from services.monitor.recount import repository
from services.monitor.recount.repository import Snapshot

READ_TIMEOUT_MS: Final = 1_000
IDLE_READS: Final = 20
"""Empty reads in a row after which the log counts as unreadable."""

BATCH: Final = 2_000

LANES: Final = 4
"""Partitions compared at the same time. A reader that turns to another one waits out its fetch, so
one after the other took 1.5 s each; in lanes the reading overlaps, and memory stays bounded."""

SHOWN: Final = 20
"""Differences that are described; the rest are counted."""


class LogUnreadable(Exception):
    """The log stopped giving records before the stored offset was reached."""


@dataclass(slots=True)
class Range:
    """What of one partition was folded: offsets `[first, end)` and the log times at both ends."""

    partition: int
    first: int
    end: int
    first_ms: int = 0
    last_ms: int = 0

    @property
    def whole(self) -> bool:
        """Tell whether the log still holds the partition from its first record on."""
        return self.first == 0


@dataclass(slots=True)
class Report:
    """What was folded, compared and found to differ."""

    ranges: list[Range] = field(default_factory=list)
    compared: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            (
                *("rounds", "sessions", "flags", "counters", "traffic", "turns"),
                *("waiting_minutes", "reception"),
            ),
            0,
        )
    )
    skipped: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            (
                "older_than_the_log",
                "older_than_is_kept",
                "other_wording_rules",
                "other_reception_rules",
                "other_profiles",
                "not_counted_then",
            ),
            0,
        )
    )
    different: int = 0
    shown: list[str] = field(default_factory=list)

    def differs(self, text: str) -> None:
        """Count a difference and describe the first ones."""
        self.different += 1
        if len(self.shown) < SHOWN:
            self.shown.append(text)


async def read_directory(bus: Bus, handle: Any) -> None:
    """Hand everything on the directory to `handle`."""
    reader = bus.reader([DIRECTORY.name])
    await reader.start()
    try:
        for tp, end in (await reader.end_offsets(reader.assignment())).items():
            first = (await reader.beginning_offsets([tp]))[tp]
            async for records in _records(reader, tp, first=first, end=end):
                await handle(records)
    finally:
        await reader.stop()


async def recompute(
    bus: Bus,
    database: Database,
    measures: Measures,
    *,
    since: date,
    told: Callable[[int], None] = lambda _of: None,
) -> Report:
    """Fold what the log holds, up to what is stored, and compare. Changes nothing.

    `told` hears of each partition that is done, and how many there are.

    What is of a day before `since` is left out: its rows are being deleted, or gone (H50).

    May run beside live monitors: each partition is compared as of one snapshot. Raises
    `positions.ForeignTopic`, `LogUnreadable`, `Unavailable`.
    """
    generation = await generations.current(bus, database)
    report = Report()
    lanes, partitions = asyncio.Semaphore(LANES), await bus.partitions(CHAT.name)

    async def compare(partition: int) -> None:
        async with lanes, _reading(bus) as reader:
            mine = measures()
            async with database.read_across("recompute") as session:
                stored = await repository.read(
                    session, partition, generation=generation, measures=mine
                )
            if stored is not None:
                tp = TopicPartition(CHAT.name, partition)
                await _compare_partition(
                    reader, tp, mine, stored=stored, since=since, report=report
                )
            told(partitions)

    await asyncio.gather(*map(compare, range(partitions)))
    report.ranges.sort(key=lambda span: span.partition)
    return report


@contextlib.asynccontextmanager
async def _reading(bus: Bus) -> AsyncIterator[Consumer]:
    """Open a reader of the chat log that reads nothing until it is told where."""
    reader = bus.reader([CHAT.name])
    await reader.start()
    try:
        reader.pause(reader.assignment())
        yield reader
    finally:
        await reader.stop()


async def _compare_partition(
    reader: Consumer,
    tp: TopicPartition,
    measures: Sequence[AnyMeasure],
    *,
    stored: Snapshot,
    since: date,
    report: Report,
) -> None:
    first = (await reader.beginning_offsets([tp]))[tp]
    span = Range(tp.partition, first, max(first, stored.next_offset))
    report.ranges.append(span)
    books = _books(stored.spans, first)
    fold = PartitionFold(Start(tp.partition, first), measures)
    folded = fold.unchanged()
    borders = [*(book.first_offset for book in books[1:]), span.end]
    for book, border in zip(books, borders, strict=True):
        fold.take([measure.under(book) for measure in measures])
        until = min(border, span.end)
        async for records in _records(reader, tp, first=fold.next_offset, end=until):
            span.first_ms = span.first_ms or records[0].timestamp_ms
            span.last_ms = records[-1].timestamp_ms
            await fold.fold(records, into=folded)
    _compare_rows(measures, fold, folded, span=span, stored=stored, since=since, report=report)


def _compare_rows(
    measures: Sequence[AnyMeasure],
    fold: PartitionFold,
    folded: Changes,
    *,
    span: Range,
    stored: Snapshot,
    since: date,
    report: Report,
) -> None:
    """Compare what is settled together with what would be if all were over (H34).

    `measures` name all rules at hand; each row was made by those of its span.
    """
    births, states = stored.births(), fold.states
    open_there = [states.as_if_over(k, stored.log_ms) for k in stored.conversations]
    open_here = [states.as_if_over(k, stored.log_ms) for k in fold.conversations.values()]
    for place, (measure, kept) in enumerate(zip(measures, stored.kept, strict=True)):
        theirs = [folded.deltas[place], *(deltas[place] for deltas in open_here)]
        mine = (row for deltas in open_there for row in measure.rows(deltas[place]))
        pairs = _paired([*kept.rows, *mine], (r for d in theirs for r in measure.rows(d)))
        for table, day, wrong in kept.differences:
            if day >= since:
                report.differs(f"{table}: partition {span.partition}, {wrong}")
        _compare(kept, pairs, span, births=births, since=since, report=report)


def _paired(
    stored: Iterable[Row], folded: Iterable[Row]
) -> Mapping[tuple[str, tuple[Any, ...]], tuple[Row | None, Row | None]]:
    """Put the rows of one name together; what has one name on one side is added up."""
    mine, theirs = _summed(stored), _summed(folded)
    names = sorted({*mine, *theirs}, key=repr)
    return {name: (mine.get(name), theirs.get(name)) for name in names}


def _summed(rows: Iterable[Row]) -> dict[tuple[str, tuple[Any, ...]], Row]:
    found: dict[tuple[str, tuple[Any, ...]], Row] = {}
    for row in rows:
        name = row.table, row.key
        known = found.get(name)
        if known is not None:
            values = tuple(a + b for a, b in zip(known.values, row.values, strict=True))
            found[name] = known._replace(values=values)
        else:
            found[name] = row
    return found


def _books(spans: Sequence[BookSpan], first: int) -> list[BookSpan]:
    """Return the books in force from an offset on; one of them is, from the first record."""
    before = [span for span in spans if span.first_offset <= first]
    return [*before[-1:], *(span for span in spans if span.first_offset > first)]


def _compare(
    kept: Kept,
    pairs: Mapping[tuple[str, tuple[Any, ...]], tuple[Row | None, Row | None]],
    span: Range,
    *,
    births: Mapping[ConversationId, int],
    since: date,
    report: Report,
) -> None:
    """Compare the rows of one measure that the log still holds whole."""
    for pair in pairs.values():
        row = pair[0] or pair[1]
        if row is None:
            continue
        oldest = row.rests_on if row.of is None else births.get(row.of, span.first)
        why = "older_than_the_log" if oldest < span.first else kept.skips(row)
        if row.day is not None and row.day < since:
            why = "older_than_is_kept"
        if why is not None:
            report.skipped[why] += 1
            continue
        report.compared[row.table] += 1
        values = [None if one is None else one.values for one in pair]
        if values[0] != values[1]:
            where = f"partition {span.partition}, {', '.join(map(str, row.key))}"
            report.differs(f"{row.table}: {where}: {_differing(*values)}")


def _differing(stored: tuple[Any, ...] | None, folded: tuple[Any, ...] | None) -> str:
    if stored is None:
        return "in the log, not stored"
    if folded is None:
        return "stored, not in the log"
    pairs = [(a, b) for a, b in zip(stored, folded, strict=True) if a != b]
    return "; ".join(f"stored {a}, folded {b}" for a, b in pairs)


def lines(report: Report) -> Iterator[str]:
    """Yield the report as lines for people; the last one is the verdict."""
    for span in report.ranges:
        yield (
            f"partition {span.partition}: offsets {span.first} to {span.end},"
            f" {_moment(span.first_ms)} to {_moment(span.last_ms)}"
            f"{'' if span.whole else ' (older records are gone)'}"
        )
    yield "compared: " + ", ".join(f"{n} {name}" for name, n in report.compared.items())
    yield "skipped: " + ", ".join(
        f"{n} {name.replace('_', ' ')}" for name, n in report.skipped.items()
    )
    yield from report.shown
    yield f"difference: {report.different}"


def _moment(at_ms: int) -> str:
    if not at_ms:
        return "-"
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


async def _records(
    reader: Consumer, tp: TopicPartition, *, first: int, end: int
) -> AsyncIterator[list[Record]]:
    """Yield a partition's records from `first` up to `end`, in order. Raises `LogUnreadable`."""
    if first >= end:
        return
    reader.pause([other for other in reader.assignment() if other != tp])
    reader.resume([tp])
    reader.seek(tp, first)
    idle = 0
    while True:
        fetched = (await reader.getmany(READ_TIMEOUT_MS, max_records=BATCH)).get(tp, [])
        records = [record for record in fetched if first <= record.offset < end]
        if records:
            yield records
            first, idle = records[-1].offset + 1, 0
        if first >= end or await reader.position(tp) >= end:
            return
        idle += not fetched
        if idle > IDLE_READS:
            raise LogUnreadable(f"{tp.topic}/{tp.partition} gives nothing after {first}")
