"""What `status`, `topics`, `groups` and `deadletters` tell: as JSON of a lasting shape, or a table.

docs/commands.md describes the shapes; a field may come, none goes. Knows no cluster.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kit.bus.deadletter import DeadLetter
from kit.bus.ports import TopicPartition
from launcher import keeper
from launcher.instance import space
from launcher.instance.instance import Instance
from launcher.instance.typed import typed
from launcher.kafka.groups import GroupLine, Move
from launcher.kafka.topics import TopicLine
from launcher.platform import ProcessLine, State
from launcher.postgres import database
from launcher.screen import Screen


def processes(
    known: Instance, lines: Sequence[ProcessLine], *, secured: bool | None
) -> dict[str, Any]:
    """Return what `status` found; `secured` None: the database did not answer."""
    return {
        "instance": known.name,
        "folder": str(known.folder),
        "ready": all(line.ready for line in lines),
        "disk_full": space.complaint(known.folder) is not None,
        "row_security": secured,
        "processes": [
            {
                "name": line.name,
                "pid": line.pid,
                "address": line.address or None,
                "state": line.state,
                "ready": line.ready,
                "deaths": line.deaths.document() if line.deaths else None,
            }
            for line in lines
        ],
    }


def show_processes(
    known: Instance, lines: Sequence[ProcessLine], screen: Screen, *, secured: bool | None
) -> None:
    """Print a row for each process, and below them why some died and what else is amiss."""
    rows = [[line.name, str(line.pid or "-"), line.address or "-", line.state] for line in lines]
    screen.table(["process", "pid", "address", "state"], rows)
    now = datetime.now(UTC)
    for line in lines:
        if line.deaths is not None:
            screen.say(f"{line.name} {line.deaths.sentence(now=now)}", plain=True)
    if any(line.name == keeper.NAME and line.state is State.ENDED for line in lines):
        up = typed("up", known.folder)
        screen.say(f"nothing that dies is started again: `{up}` starts another keeper", plain=True)
    if secured is False:
        migrate = typed("migrate", known.folder)
        screen.say(f"{database.UNSECURED} `{migrate}` says what to do.", plain=True)
    if (full := space.complaint(known.folder)) is not None:
        screen.say(full, plain=True)
    screen.say(f"data and logs: {known.folder}", plain=True)


def topics(lines: Sequence[TopicLine]) -> dict[str, Any]:
    """Return every topic beside what the cluster has."""
    return {
        "topics": [
            {
                "topic": line.topic.name,
                "partitions": line.present,
                "wanted_partitions": line.topic.partitions,
                "key": line.contract.key if line.contract else None,
                "written_by": list(line.contract.writers) if line.contract else [],
                "read_by": list(line.contract.readers) if line.contract else [],
            }
            for line in lines
        ]
    }


def show_topics(lines: Sequence[TopicLine], screen: Screen) -> None:
    """Print a row for each topic."""
    rows = []
    for line in lines:
        about = line.contract
        words = [about.key, ", ".join(about.writers), ", ".join(about.readers)] if about else []
        rows.append([line.topic.name, str(line.present or "absent"), *(words or ["", "", ""])])
    screen.table(["topic", "partitions", "key", "written by", "read by"], rows)


def groups(lines: Sequence[GroupLine]) -> dict[str, Any]:
    """Return consumer groups with their members, and where they stand in each partition."""
    return {
        "groups": [
            {
                "group": line.group,
                "state": line.state,
                "lag": line.lag,
                "members": [
                    {
                        "client": member.client_id,
                        "host": member.host,
                        "partitions": [
                            {"topic": tp.topic, "partition": tp.partition}
                            for tp in member.partitions
                        ],
                    }
                    for member in line.members
                ],
                "positions": [
                    {
                        "topic": place.tp.topic,
                        "partition": place.tp.partition,
                        "position": place.position,
                        "first": place.first,
                        "end": place.end,
                        "lag": place.lag,
                    }
                    for place in line.places
                ],
            }
            for line in lines
        ]
    }


def show_groups(lines: Sequence[GroupLine], screen: Screen, *, whole: bool) -> None:
    """Print a row for each group; `whole`: below it one for each partition and each member."""
    rows = [[line.group, line.state, str(len(line.members)), str(line.lag)] for line in lines]
    screen.table(["group", "state", "members", "lag"], rows)
    for line in lines if whole else ():
        places = [
            [_place(place.tp), _offset(place.position), str(place.end), str(place.lag)]
            for place in line.places
        ]
        screen.table(["partition", "position", "end", "lag"], places)
        members = [
            [one.client_id, one.host, ", ".join(map(_place, one.partitions))]
            for one in line.members
        ]
        screen.table(["member", "host", "partitions"], members)


def moves(group: str, wanted: Sequence[Move], *, done: bool) -> dict[str, Any]:
    """Return from where to where a group is set, and whether it was."""
    return {
        "group": group,
        "done": done,
        "moves": [
            {
                "topic": move.tp.topic,
                "partition": move.tp.partition,
                "from": move.position,
                "to": move.to,
            }
            for move in wanted
        ],
    }


def show_moves(group: str, wanted: Sequence[Move], screen: Screen, *, done: bool) -> None:
    """Print from where to where a group is set in each partition, and what that means."""
    rows = [[_place(move.tp), _offset(move.position), str(move.to)] for move in wanted]
    screen.table(["partition", "from", "to"], rows)
    again = sum(max(0, (move.position or 0) - move.to) for move in wanted)
    over = sum(max(0, move.to - (move.position or 0)) for move in wanted)
    will = ("reads", "leaves") if done else ("would read", "leave")
    screen.say(f"{group} {will[0]} {again} records again and {will[1]} out {over}")


def _place(tp: TopicPartition) -> str:
    return f"{tp.topic}/{tp.partition}"


def _offset(position: int | None) -> str:
    return "-" if position is None else str(position)


def dead_letters(shown: Mapping[str, Sequence[DeadLetter]], *, total: int) -> dict[str, Any]:
    """Return dead letters that were not replayed, by group and oldest first, of `total` in all."""
    return {
        "total": total,
        "dead_letters": [
            {
                "group": group,
                "topic": letter.topic,
                "partition": letter.partition,
                "offset": letter.offset,
                "reason": letter.reason,
                "at_ms": letter.at_ms,
            }
            for group, letters in shown.items()
            for letter in letters
        ],
    }


def show_dead_letters(shown: Mapping[str, Sequence[DeadLetter]], rest: str, screen: Screen) -> None:
    """Print a row for each dead letter, and `rest`: how many there are, and where to see more."""
    rows = [
        [group, f"{letter.topic}/{letter.partition}@{letter.offset}", letter.reason]
        for group, letters in shown.items()
        for letter in letters
    ]
    screen.table(["group", "record", "reason"], rows)
    screen.say(rest)


def as_json(document: Mapping[str, Any], screen: Screen) -> None:
    """Print a document for another program to read."""
    screen.say(json.dumps(document, indent=2, ensure_ascii=False), plain=True)
