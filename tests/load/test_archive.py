"""`just bench archive`: the archive writer against bare inserts, interleaved, on the real database.

The floor inserts rows that lie ready in memory; the archive reads and checks them first, so what
reading the log alone costs is measured beside it. Nothing here is a timed test.
"""

import sys
from collections.abc import Sequence
from typing import Final

import pytest

from tests.infrastructure import Infrastructure
from tests.load import against, alternating, archive_run, contest, ground
from tests.load.checkout import Checkout
from tests.load.contest import Contestant, Round
from tests.load.judging import Bench
from tests.load.ratios import Ratio

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

MESSAGES: Final = 50_000
COUNTING: Final = "getmany that counts"
INSERTING: Final = "floor: bare unnest inserts"
ARCHIVE: Final = "PeakDesk: archive writer"
DATABASE: Final = "postgres"
LEAST: Final = 0.7


async def test_the_archive_writer_against_bare_inserts(place: Infrastructure, bench: Bench) -> None:
    tables = contest.with_tables("conversation", archive_run.bare)
    seated = contest.with_tables("conversation", archive_run.seat)
    contestants = [
        Contestant.module(COUNTING, "tests.load.floors.counting", contest.bare),
        Contestant.module(INSERTING, "tests.load.floors.inserting", tables),
        Contestant.module(ARCHIVE, "tests.load.archive_run", seated),
    ]
    sys.stdout.write("\nCPU per record, of the process itself and beside it\n")
    async with ground.prepared(place, MESSAGES, long=True) as prepared:
        rounds = await contest.play(prepared, contestants, rounds=bench.rounds)
    bench.report(
        "Archive: rows per second per core, ratio per round",
        ratios(rounds),
        {"rounds": contest.as_json(rounds)},
    )


@pytest.mark.timeout(3_600)
def test_the_archive_writer_against_another_checkout(bench: Bench, other: Checkout) -> None:
    rounds = alternating.play(bench.name, other, rounds=bench.rounds_against)
    title = "us of CPU per record"
    against.report(f"{bench.name}-against", {title: rounds}, {"against": str(other.folder)})


def ratios(rounds: Sequence[Round]) -> Sequence[Ratio]:
    """Return the promised ratio, and the same where both sides pay for what both must do."""
    return [
        Ratio(
            "writer's CPU to bare inserts'",
            [r[INSERTING].us() / r[ARCHIVE].us() for r in rounds],
            LEAST,
        ),
        Ratio(
            "with the database's CPU on both sides",
            [r[INSERTING].us(DATABASE) / r[ARCHIVE].us(DATABASE) for r in rounds],
        ),
        Ratio(
            "to reading plus bare inserts",
            [(r[COUNTING].us() + r[INSERTING].us()) / r[ARCHIVE].us() for r in rounds],
        ),
        Ratio(
            "the same with the database's CPU",
            [
                (r[COUNTING].us() + r[INSERTING].us(DATABASE)) / r[ARCHIVE].us(DATABASE)
                for r in rounds
            ],
        ),
    ]
