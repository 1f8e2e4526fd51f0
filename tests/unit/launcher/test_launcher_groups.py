"""What `groups` refuses before it asks a broker, and what it shows."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from kit.bus.kafka.groups import Member
from kit.bus.ports import TopicPartition
from launcher import report
from launcher.errors import LaunchError
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.kafka import groups
from launcher.kafka.groups import GroupLine, Move, Place
from launcher.screen import Screen

pytestmark = pytest.mark.unit

TP = TopicPartition("cases", 3)
MEMBER = Member("peakdesk-orders", "127.0.0.1", (TP,))
LINE = GroupLine("orders.settlements", "Stable", (MEMBER,), (Place(TP, 7, 0, 9),))


@pytest.fixture
def known(tmp_path: Path) -> Instance:
    """An instance that nobody started."""
    return Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)


@pytest.mark.parametrize(
    ("group", "to", "complaint"),
    [
        ("orders", "latest", r"There is no group orders. There are: .*conversation\.archive"),
        ("monitor.fold", "latest", "keeps its positions beside its figures"),
        (
            "orders.settlements",
            "yesterday",
            "is no place in a log: give earliest, latest",
        ),
        ("orders.settlements", "1969-12-31T23:59:59Z", "lies before 1970"),
        ("orders.settlements", "0001-01-01T00:00:00Z", "lies before 1970"),
        ("orders.settlements", "77", "77 is no place in a log"),
        ("orders.settlements", "2026-11-11T00:00:00", "says no time zone: add Z"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    known: Instance, group: str, to: str, complaint: str
) -> None:
    with pytest.raises(LaunchError, match=complaint):
        groups.moves(known, group, to)


def test_what_a_topic_has_let_go_of_is_no_lag() -> None:
    assert Place(TP, 7, 0, 9).lag == 2
    assert Place(TP, None, 4, 9).lag == 5
    assert Place(TP, 2, 4, 9).lag == 5
    assert Place(TP, 9, 9, 9).lag == 0


def test_programs_get_groups_and_moves_in_the_shape_that_is_promised() -> None:
    assert report.groups([LINE]) == {
        "groups": [
            {
                "group": "orders.settlements",
                "state": "Stable",
                "lag": 2,
                "members": [
                    {
                        "client": "peakdesk-orders",
                        "host": "127.0.0.1",
                        "partitions": [{"topic": "cases", "partition": 3}],
                    }
                ],
                "positions": [
                    {
                        "topic": "cases",
                        "partition": 3,
                        "position": 7,
                        "first": 0,
                        "end": 9,
                        "lag": 2,
                    }
                ],
            }
        ]
    }
    assert report.moves("orders.settlements", [Move(TP, 7, 2)], done=False) == {
        "group": "orders.settlements",
        "done": False,
        "moves": [{"topic": "cases", "partition": 3, "from": 7, "to": 2}],
    }


def test_people_are_told_what_a_move_does() -> None:
    printed = io.StringIO()
    screen = Screen(Console(file=printed))
    there = TopicPartition("cases", 4)

    report.show_groups([LINE], screen, whole=True)
    report.show_moves("g", [Move(TP, 7, 2), Move(there, None, 4)], screen, done=False)

    told = printed.getvalue()
    assert "cases/3" in told
    assert "peakdesk-orders" in told
    assert told.endswith("g would read 5 records again and leave out 4\n")
