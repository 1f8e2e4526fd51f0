"""Where consumer groups stand, and setting one elsewhere.

Knows no service: what a group does with what it reads again is its own affair.
"""

import asyncio
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from contracts.topics import GROUPS
from kit.bus.kafka import KafkaBus
from kit.bus.kafka.groups import GroupFacts, GroupInUse, Member, group_facts, set_positions
from kit.bus.ports import BusAway, Consumer, TopicPartition
from launcher.errors import LaunchError
from launcher.instance.instance import Instance
from launcher.instance.typed import typed

OWN_POSITIONS: Final = ("monitor.fold",)
"""Groups that keep their positions beside what they made of the records; Kafka's are for show."""

PLACES: Final = "earliest, latest, a moment such as 2026-11-11T00:00:00Z, or topic/partition@offset"

_AT: Final = re.compile(r"([\w.]+)/(\d+)@(\d+)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group stands in one partition, and what there is; `position` None: it never read."""

    tp: TopicPartition
    position: int | None
    first: int
    end: int

    @property
    def lag(self) -> int:
        """How many records it has still to read; what the topic has let go of is none."""
        return max(0, self.end - max(self.first, self.position or 0))


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A consumer group with its places, in the order of partitions."""

    group: str
    state: str
    members: tuple[Member, ...]
    places: tuple[Place, ...]

    @property
    def lag(self) -> int:
        """How many records it has still to read in all."""
        return sum(place.lag for place in self.places)


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where a group is set in one partition."""

    tp: TopicPartition
    position: int | None
    to: int


def lines(known: Instance, groups: Sequence[str] = GROUPS) -> list[GroupLine]:
    """Return groups as they stand. Raises LaunchError for a name that is none."""
    _require_known(groups)
    return _run(_lines(known, groups))


def moves(known: Instance, group: str, to: str) -> list[Move]:
    """Return what setting a group `to` a place would change, without what stays.

    `to` is one of `PLACES`. Raises LaunchError where that is not possible or means nothing.
    """
    _require_known([group])
    if group in OWN_POSITIONS:
        raise LaunchError(
            f"{group} keeps its positions beside its figures and reads again by itself: "
            "there is nothing to set."
        )
    asked = _parsed(to)
    line, wanted = _run(_wanted(known, group, asked))
    if line.members:
        clients = ", ".join(sorted({member.client_id for member in line.members}))
        raise LaunchError(
            f"{group} has {len(line.members)} members ({clients}), who would go on where they "
            f"are: stop all with `{typed('down', known.folder)}`, start Kafka alone with "
            f"`{typed('up --infrastructure-only', known.folder)}`, then run the command again."
        )
    if not line.places:
        raise LaunchError(f"{group} has read nothing yet: there is nothing to set.")
    if not wanted:
        raise LaunchError(f"{group} does not read {to.partition('@')[0]}.")
    stand = {place.tp: place.position for place in line.places}
    return [
        Move(tp, stand[tp], offset) for tp, offset in sorted(wanted.items()) if stand[tp] != offset
    ]


def carry_out(known: Instance, group: str, wanted: Sequence[Move]) -> None:
    """Set a group. Raises LaunchError if somebody is in it by now."""
    bus = _bus(known)
    try:
        _run(set_positions(bus.connection, group, {move.tp: move.to for move in wanted}))
    except GroupInUse:
        raise LaunchError(
            f"Somebody has joined {group} meanwhile, and nothing was set: stop the services, "
            "then run the command again."
        ) from None


def _require_known(groups: Sequence[str]) -> None:
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise LaunchError(f"There is no group {unknown[0]}. There are: {', '.join(GROUPS)}.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A place as it was typed: one of three."""

    end: str | None = None
    moment: datetime | None = None
    at: tuple[TopicPartition, int] | None = None


def _parsed(to: str) -> _Asked:
    if to in {"earliest", "latest"}:
        return _Asked(end=to)
    if (found := _AT.fullmatch(to)) is not None:
        topic, partition, offset = found.groups()
        return _Asked(at=(TopicPartition(topic, int(partition)), int(offset)))
    try:
        moment = datetime.fromisoformat(to)
    except ValueError:
        raise LaunchError(f"{to} is no place in a log: give {PLACES}.") from None
    if moment.tzinfo is None:
        raise LaunchError(f"{to} says no time zone: add Z for UTC, or +08:00.")
    if moment.timestamp() < 0:
        raise LaunchError(f"{to} lies before 1970, and so before every record: give earliest.")
    return _Asked(moment=moment.astimezone(UTC))


async def _lines(known: Instance, groups: Sequence[str]) -> list[GroupLine]:
    bus = _bus(known)
    try:
        facts = await group_facts(bus.connection, groups)
        places = await _places(bus, facts)
    finally:
        await bus.close()
    return [
        GroupLine(
            one.group,
            one.state,
            one.members,
            tuple(
                Place(tp, one.committed.get(tp), first, end)
                for tp, (first, end) in sorted(places.items())
                if tp.topic in {read.topic for read in one.committed}
            ),
        )
        for one in facts
    ]


async def _places(
    bus: KafkaBus, facts: Sequence[GroupFacts]
) -> Mapping[TopicPartition, tuple[int, int]]:
    """Return the first and the next offset of every partition of what the groups read."""
    topics = sorted({tp.topic for one in facts for tp in one.committed})
    if not topics:
        return {}
    reader = await _reader(bus, topics)
    try:
        every = reader.assignment()
        firsts, ends = await reader.beginning_offsets(every), await reader.end_offsets(every)
        return {tp: (firsts[tp], ends[tp]) for tp in every}
    finally:
        await reader.stop()


async def _wanted(
    known: Instance, group: str, asked: _Asked
) -> tuple[GroupLine, dict[TopicPartition, int]]:
    """Return the group, and where in each of its partitions it is to stand."""
    (line,) = await _lines(known, [group])
    mine = {place.tp: place for place in line.places}
    if asked.at is not None:
        tp, offset = asked.at
        if tp in mine and not mine[tp].first <= offset <= mine[tp].end:
            raise LaunchError(
                f"{tp.topic}/{tp.partition} holds {mine[tp].first} to {mine[tp].end}: "
                f"{offset} lies outside."
            )
        return line, {tp: offset} if tp in mine else {}
    if asked.moment is not None:
        return line, await _since(known, sorted(mine), asked.moment)
    latest = asked.end == "latest"
    return line, {tp: place.end if latest else place.first for tp, place in mine.items()}


async def _since(
    known: Instance, every: Sequence[TopicPartition], moment: datetime
) -> dict[TopicPartition, int]:
    """Return the first record of that moment or later; the end where there is none."""
    if not every:
        return {}
    bus = _bus(known)
    try:
        reader = await _reader(bus, sorted({tp.topic for tp in every}))
        try:
            at_ms = round(moment.timestamp() * 1000)
            return await reader.offsets_for_times(dict.fromkeys(every, at_ms))
        finally:
            await reader.stop()
    finally:
        await bus.close()


async def _reader(bus: KafkaBus, topics: Sequence[str]) -> Consumer:
    reader = bus.reader(topics)
    await reader.start()
    reader.pause(reader.assignment())
    return reader


def _bus(known: Instance) -> KafkaBus:
    return KafkaBus(known.bootstrap_servers, client_id="peakdesk-launcher")


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except BusAway as error:
        raise LaunchError(f"{error} Start ours with `./peakdesk up`.") from error
