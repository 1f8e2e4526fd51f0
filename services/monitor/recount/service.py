"""Folds the log offline and compares with what the monitor stored (H22, promise P15).

Knows the rules of folding and of comparing; must not know how the answer is shown.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from contracts.people import ConversationId
from contracts.topics import CHAT, DIRECTORY
from kit.bus.ports import Bus, Consumer, Record, TopicPartition
from kit.postgres import Database
from services.monitor.directory.rules import Rules
from services.monitor.fold import generations
from services.monitor.fold.engine import PartitionFold
from services.monitor.fold.repository import Changes, Stored
from services.monitor.recount import repository as recounts
from services.monitor.recount.repository import Kept, Place
from services.monitor.response.domain import Score
from services.monitor.response.rollups import CounterKey, Counters, differences
from services.monitor.response.schemas import reading_name, round_json, session_json
from services.monitor.traffic.domain import TrafficKey
from services.monitor.wording.domain import FlaggedMessage, Span, Wording

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
            ("rounds", "sessions", "flags", "counters", "traffic"), 0
        )
    )
    skipped: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("older_than_the_log", "other_wording_rules"), 0)
    )
    different: int = 0
    shown: list[str] = field(default_factory=list)

    def differs(self, text: str) -> None:
        """Count a difference and describe the first ones."""
        self.different += 1
        if len(self.shown) < SHOWN:
            self.shown.append(text)


@dataclass(slots=True)
class _Folded:
    """What a fold of the log gives, in the shape in which rows are read."""

    rounds: dict[Place, tuple[Any, ...]] = field(default_factory=dict)
    sessions: dict[Place, tuple[Any, ...]] = field(default_factory=dict)
    flags: dict[str, FlaggedMessage] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    traffic: dict[TrafficKey, tuple[int, ...]] = field(default_factory=dict)

    def add(self, changes: Changes) -> None:
        """Add a batch."""
        for r, judged in changes.rounds:
            place = Place(reading_name(r.readings), r.opened_offset)
            self.rounds[place] = (
                r.shop_id, r.conversation_id, r.buyer_id, r.agent_id, judged.day, r.opened_ms,
                r.closed_ms, r.waiting_since_ms, r.outcome.value,
                json.loads(round_json(judged.scores)),
            )  # fmt: skip
        for s, judged in changes.sessions:
            place = Place(reading_name(s.readings), s.started_offset)
            self.sessions[place] = (
                s.shop_id, s.conversation_id, s.buyer_id, s.agent_id, judged.day, s.started_ms,
                s.to_human_ms, s.assigned_ms, s.replied_ms,
                json.loads(session_json(judged.scores)),
            )  # fmt: skip
        self.flags.update({flag.message_id: flag for flag in changes.flags})
        self.counters.merge(changes.counters)
        for key, t in changes.traffic.items():
            new = (
                t.buyer_messages, t.agent_messages, t.other_messages, t.flags_agent, t.flags_buyer
            )  # fmt: skip
            old = self.traffic.get(key, (0,) * len(new))
            self.traffic[key] = tuple(a + b for a, b in zip(old, new, strict=True))


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


async def recompute(bus: Bus, database: Database, rules: Rules) -> Report:
    """Fold what the log holds, up to what is stored, and compare. Changes nothing.

    May run beside live monitors: each partition is compared as of one snapshot. Raises
    `positions.ForeignTopic`, `LogUnreadable`, `Unavailable`.
    """
    generation = await generations.current(bus, database)
    report = Report()
    lanes = asyncio.Semaphore(LANES)

    async def compare(partition: int) -> None:
        async with lanes, _reading(bus) as reader:
            async with database.read_across("recompute") as session:
                kept = await recounts.read(session, partition, generation=generation)
            if kept is not None:
                tp = TopicPartition(CHAT.name, partition)
                await _compare_partition(reader, tp, rules, kept=kept, report=report)

    await asyncio.gather(*map(compare, range(await bus.partitions(CHAT.name))))
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
    reader: Consumer, tp: TopicPartition, rules: Rules, *, kept: Kept, report: Report
) -> None:
    first = (await reader.beginning_offsets([tp]))[tp]
    span = Range(tp.partition, first, max(first, kept.next_offset))
    report.ranges.append(span)
    fold = PartitionFold(Stored(tp.partition, first, 0, {}), rules, next_offset=first)
    folded = _Folded()
    async for records in _records(reader, tp, first=first, end=span.end):
        span.first_ms = span.first_ms or records[0].timestamp_ms
        span.last_ms = records[-1].timestamp_ms
        folded.add((await fold.fold(records)).changes)
    for name, mine, theirs in (
        ("rounds", kept.rounds, folded.rounds),
        ("sessions", kept.sessions, folded.sessions),
    ):
        _compare_rows(name, mine, theirs, births=kept.births, span=span, report=report)
    _compare_flags(kept, folded, span, wording=rules, report=report)
    _compare_totals(kept, folded, span, report)


def _compare_rows(
    name: str,
    stored: Mapping[Place, tuple[Any, ...]],
    folded: Mapping[Place, tuple[Any, ...]],
    *,
    births: Mapping[ConversationId, int],
    span: Range,
    report: Report,
) -> None:
    """Compare the rows of conversations whose first record the log still holds."""
    for place in sorted({*stored, *folded}):
        mine, theirs = stored.get(place), folded.get(place)
        conversation_id = (mine or theirs or ("", ""))[1]
        if births.get(conversation_id, span.first) < span.first:
            report.skipped["older_than_the_log"] += 1
            continue
        report.compared[name] += 1
        if mine != theirs:
            where = f"partition {span.partition}, offset {place.offset}, {place.reading}"
            report.differs(f"{name}: {where}: {_differing(mine, theirs)}")


def _differing(stored: tuple[Any, ...] | None, folded: tuple[Any, ...] | None) -> str:
    if stored is None:
        return "in the log, not stored"
    if folded is None:
        return "stored, not in the log"
    pairs = [(a, b) for a, b in zip(stored, folded, strict=True) if a != b]
    return "; ".join(f"stored {a}, folded {b}" for a, b in pairs)


def _compare_flags(
    kept: Kept, folded: _Folded, span: Range, *, wording: Rules, report: Report
) -> None:
    """Compare flags checked under the lexicon and policy at hand; others are counted as skipped."""
    for message_id in sorted({*kept.flags, *folded.flags}):
        mine, theirs = kept.flags.get(message_id), folded.flags.get(message_id)
        shop_id, offset = (mine[0], mine[1]) if mine else (theirs.shop_id, theirs.offset)  # type: ignore[union-attr] # one of both is there
        if offset < span.first:
            report.skipped["older_than_the_log"] += 1
            continue
        at_hand = Wording(
            wording.wording().lexicon_version, wording.directory.shop(shop_id).policy.version
        )
        if _in_force(kept.spans, shop_id, offset) != at_hand:
            report.skipped["other_wording_rules"] += 1
            continue
        report.compared["flags"] += 1
        if mine != _flag(theirs):
            report.differs(
                f"flags: partition {span.partition}, offset {offset}:"
                f" {'stored' if mine else 'not stored'}, {'folded' if theirs else 'not folded'}"
            )


def _flag(row: FlaggedMessage | None) -> tuple[Any, ...] | None:
    if row is None:
        return None
    return (
        row.shop_id, row.offset, row.conversation_id, row.sender_id, row.speaker, row.at_ms,
        json.loads(row.hits), row.lexicon_version, row.policy_version,
    )  # fmt: skip


def _in_force(spans: Sequence[Span], shop_id: str, offset: int) -> Wording | None:
    mine = [s for s in spans if s.shop_id == shop_id and s.first_offset <= offset]
    return mine[-1].wording if mine else None


def _compare_totals(kept: Kept, folded: _Folded, span: Range, report: Report) -> None:
    """Compare counters with the sum of the rows, and with the fold where the log is whole."""
    where = f"partition {span.partition}"
    report.compared["counters"] += len({*kept.counters, *kept.summed})
    for key, stored, summed in differences(kept.counters, kept.summed):
        report.differs(f"counters: {where}, {_name(key)}: stored {stored}, rows give {summed}")
    if not span.whole:
        return
    computed = {k: v for k, v in folded.counters.totals.items() if v != Score()}
    for key, stored, found in differences(kept.counters, computed):
        report.differs(f"counters: {where}, {_name(key)}: stored {stored}, folded {found}")
    for name in sorted({*kept.traffic, *folded.traffic}):
        report.compared["traffic"] += 1
        mine, theirs = kept.traffic.get(name), folded.traffic.get(name)
        messages = slice(0, 3)  # flags may have been found under other wording rules
        if (mine or ())[messages] != (theirs or ())[messages]:
            report.differs(f"traffic: {where}, {name}: stored {mine}, folded {theirs}")


def _name(key: CounterKey) -> str:
    return f"{key.shop_id}, {key.profile}, {key.day}, {key.agent_id or 'nobody'}"


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
