"""What programs and pipes get of `status`, `topics` and `deadletters`."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from kit.bus.deadletter import DeadLetter
from launcher import report
from launcher.instance import deaths
from launcher.instance.deaths import Deaths
from launcher.instance.instance import Instance
from launcher.instance.ports import Ports
from launcher.instance.typed import typed
from launcher.kafka import topics
from launcher.kafka.topics import TopicLine
from launcher.platform import ProcessLine, State
from launcher.screen import Screen

pytestmark = pytest.mark.unit

WORDS = "a reason of many words that no line of twenty columns holds, 退款到账很慢 and more"
LETTER = DeadLetter("monitor.fold", "chat", 3, 77, WORDS, "00", 1_794_000_000_000)
DIED = Deaths(2, "2026-11-11T00:00:12+00:00", "killed by SIGKILL", "the end", None, "")
URL = "http://127.0.0.1:7300"
LINES = (
    ProcessLine("gateway", None, ready=False, address=URL, state=State.ENDED, deaths=DIED),
    ProcessLine("keeper", None, ready=True, address="", state=State.STOPPED, deaths=None),
)


@pytest.fixture
def printed() -> io.StringIO:
    """What a pipe gets."""
    return io.StringIO()


@pytest.fixture
def pipe(printed: io.StringIO) -> Screen:
    """A screen that is no terminal, and narrow if anybody asks."""
    return Screen(Console(file=printed, width=20))


@pytest.fixture
def known(tmp_path: Path) -> Instance:
    """An instance by its name and folder."""
    return Instance(tmp_path, "default", Ports(7300), brokers=1, durable=True)


def test_into_a_pipe_each_row_is_one_line_with_every_word(
    pipe: Screen, printed: io.StringIO
) -> None:
    report.show_dead_letters({"monitor.fold": [LETTER]}, "1 dead letters", pipe)

    heading, row, count = printed.getvalue().splitlines()
    assert row.split("  ") == ["monitor.fold", "chat/3@77", WORDS]
    assert heading.index("reason") == row.index(WORDS)
    assert count == "1 dead letters"


def test_status_as_json_has_the_shape_that_is_promised(
    known: Instance, pipe: Screen, printed: io.StringIO
) -> None:
    report.as_json(report.processes(known, LINES, secured=None), pipe)

    document = json.loads(printed.getvalue())
    assert document.keys() == {
        "instance",
        "folder",
        "ready",
        "disk_full",
        "row_security",
        "processes",
    }
    assert document["row_security"] is None
    gateway, keeper = document["processes"]
    assert gateway == {
        "name": "gateway",
        "pid": None,
        "address": "http://127.0.0.1:7300",
        "state": "ended",
        "ready": False,
        "deaths": {
            "count": 2,
            "at": "2026-11-11T00:00:12+00:00",
            "why": "killed by SIGKILL",
            "words": "the end",
            "next_try_at": None,
            "trouble": "",
        },
    }
    assert (keeper["state"], keeper["address"], keeper["deaths"]) == ("stopped", None, None)
    assert not document["ready"]


def test_topics_and_dead_letters_as_json(pipe: Screen, printed: io.StringIO) -> None:
    wanted = topics.wanted(production=False)[0]
    (line,) = report.topics([TopicLine(wanted, None, None)])["topics"]
    assert line == {
        "topic": wanted.name,
        "partitions": None,
        "wanted_partitions": wanted.partitions,
        "key": None,
        "written_by": [],
        "read_by": [],
    }

    report.as_json(report.dead_letters({"monitor.fold": [LETTER]}, total=1), pipe)
    assert json.loads(printed.getvalue())["dead_letters"] == [
        {
            "group": "monitor.fold",
            "topic": "chat",
            "partition": 3,
            "offset": 77,
            "reason": WORDS,
            "at_ms": 1_794_000_000_000,
        }
    ]


def test_a_death_is_told_with_its_age_and_what_comes_next() -> None:
    now = datetime(2026, 11, 11, 0, 3, 0, tzinfo=UTC)
    waiting = Deaths(
        3,
        "2026-11-11T00:00:12+00:00",
        "exit code 1",
        "no room",
        "2026-11-11T00:03:09+00:00",
        "taken",
    )

    assert DIED.sentence(now=now) == (
        "died 2 times, last 2 min ago: killed by SIGKILL; its last words: the end"
    )
    assert "next try in 9 s" in waiting.sentence(now=now)
    assert "could not be started again: taken" in waiting.sentence(now=now)


def test_of_long_last_words_a_person_gets_the_end_and_a_program_all(
    known: Instance, pipe: Screen, printed: io.StringIO
) -> None:
    words = " | ".join([*[f'{{"event": "http.request", "n": {n}}}' for n in range(90)], "Killed"])
    died = replace(LINES[0], deaths=replace(DIED, words=words))

    report.show_processes(known, [died], pipe, secured=True)
    told = printed.getvalue().splitlines()[-2]
    assert told.endswith('"n": 89} | Killed')
    assert len(told) < 2 * deaths.WORDS_SHOWN
    assert report.processes(known, [died], secured=True)["processes"][0]["deaths"]["words"] == words


def test_a_dead_keeper_is_told_with_what_brings_another(
    known: Instance, pipe: Screen, printed: io.StringIO
) -> None:
    report.show_processes(known, [replace(LINES[1], state=State.ENDED)], pipe, secured=True)

    up = typed("up", known.folder)
    assert f"nothing that dies is started again: `{up}` starts" in printed.getvalue()


@pytest.mark.parametrize(("secured", "told"), [(False, True), (True, False), (None, False)])
def test_tables_that_services_own_are_told_of_until_they_do_not(
    known: Instance, pipe: Screen, printed: io.StringIO, *, secured: bool | None, told: bool
) -> None:
    report.show_processes(known, LINES, pipe, secured=secured)

    assert ("Row-level security does not hold yet" in printed.getvalue()) is told
    assert report.processes(known, LINES, secured=secured)["row_security"] is secured


def test_the_page_of_the_commands_shows_the_shape() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "commands.md"
    shown = json.loads(page.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0])
    here = Instance(Path("/srv"), "default", Ports(7300), brokers=1, durable=True)
    made = report.processes(here, LINES, secured=True)

    assert shown.keys() == made.keys()
    assert shown["processes"][0].keys() == made["processes"][0].keys()
    assert shown["processes"][0]["deaths"].keys() == made["processes"][0]["deaths"].keys()
