"""`just bench monitor`: the fold against its floors, interleaved, on real broker and database.

Texts of 400 bytes as every bench sends, and turns as short as people write them. Nothing here is
a timed test: it fails only if a measurement could not be made.
"""

import sys
from collections.abc import Sequence
from typing import Final

import pytest

from tests.infrastructure import Infrastructure
from tests.load import contest, ground
from tests.load.contest import Contestant, Round
from tests.load.judging import Bench
from tests.load.processes import CHECKOUT
from tests.load.ratios import Ratio

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

MESSAGES: Final = 20_000
COUNTING: Final = "floor c: getmany that counts"
WINDOWS: Final = "floor d: quixstreams, two windows"
FOLD: Final = "PeakDesk: fold, wording, rollups, commit"

LEAST_OF_COUNTING: Final = 0.3
LEAST_OF_WINDOWS: Final = 5.0


async def test_the_fold_against_its_floors(place: Infrastructure, bench: Bench) -> None:
    script = str(CHECKOUT / "tests" / "load" / "floors" / "windows.py")
    contestants = [
        Contestant.module(COUNTING, "tests.load.floors.counting", contest.bare),
        Contestant.module(FOLD, "tests.load.fold_run", contest.with_tables("monitor")),
        Contestant(WINDOWS, (contest.uv(), "run", "--quiet", "--script", script), contest.bare),
    ]
    played: dict[str, Sequence[Round]] = {}
    for name, long in (("texts of 400 bytes", True), ("turns as written", False)):
        sys.stdout.write(f"\n{name}: CPU per record, of the process itself and beside it\n")
        async with ground.prepared(place, MESSAGES, long=long) as prepared:
            played[name] = await contest.play(prepared, contestants, rounds=bench.rounds)
    bench.report(
        "Monitor: records per second per core, ratio per round",
        [ratio for name, rounds in played.items() for ratio in ratios(name, rounds)],
        {name: contest.as_json(rounds) for name, rounds in played.items()},
    )


def ratios(name: str, rounds: Sequence[Round]) -> Sequence[Ratio]:
    """Return the promised ratios, and what the bare loop itself is to the stream processor."""
    return [
        Ratio(
            f"{name}: to counting",
            [r[COUNTING].us() / r[FOLD].us() for r in rounds],
            LEAST_OF_COUNTING,
        ),
        Ratio(
            f"{name}: to quixstreams",
            [r[WINDOWS].us() / r[FOLD].us() for r in rounds],
            LEAST_OF_WINDOWS,
        ),
        Ratio(
            f"{name}: counting to quixstreams",
            [r[WINDOWS].us() / r[COUNTING].us() for r in rounds],
        ),
    ]
