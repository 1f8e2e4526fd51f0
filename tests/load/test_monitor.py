"""`just bench monitor`: the fold against its floors, interleaved, on real broker and database.

Texts of 400 bytes as every bench sends, and turns as short as people write them. Then thresholds
while records never stop: how late they come, and whether boards call themselves delayed. Nothing
here is a timed test: it fails only if a measurement could not be made.
"""

import json
import secrets
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median
from typing import Final

import pytest

from contracts.monitor import BoardPublished
from contracts.topics import BOARD
from tests import infrastructure
from tests.infrastructure import Infrastructure
from tests.integration.monitor.chats import talking
from tests.integration.monitor.rig import Rig, boards_of, monitoring
from tests.load import against, alternating, contest, ground
from tests.load.checkout import Checkout
from tests.load.contest import Contestant, Round
from tests.load.judging import Bench
from tests.load.processes import CHECKOUT
from tests.load.ratios import RESULTS, Ratio
from tests.waiting import eventually

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

MESSAGES: Final = 20_000
TALKS, PER_S, WAITS = 4, 50, 200
"""Talks over four partitions, the records of each a second, and how many buyers wait beside."""

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


async def test_thresholds_while_records_never_stop(place: Infrastructure) -> None:
    """Waits that pass 20 s and 30 s beside steady traffic in every partition (H31)."""
    prefix = f"bench.{secrets.token_hex(4)}."
    try:
        async with monitoring(place, prefix) as rig, rig.monitor():
            late, boards = await thresholds(rig)
    finally:
        await infrastructure.delete_topics(place, prefix)
    delayed = [board.delayed_ms for board in boards if board.delayed_ms]
    assert boards, "no board was published"
    found = {
        "records_per_s": TALKS * PER_S,
        "thresholds": len(late),
        "late_p50_ms": median(late),
        "late_p99_ms": sorted(late)[len(late) * 99 // 100],
        "late_max_ms": max(late),
        "boards": len(boards),
        "boards_delayed": len(delayed),
        "delayed_max_ms": max(delayed, default=0),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "monitor_thresholds.json"
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.stdout.write("\nMonitor: thresholds while records never stop\n")
    sys.stdout.writelines(f"  {name:<16} {value:>8.0f}\n" for name, value in found.items())


async def thresholds(rig: Rig) -> tuple[list[int], list[BoardPublished]]:
    """Return how late each threshold was told, in ms, and the boards that came meanwhile."""
    shop = await rig.shop().listed()
    talks = [await shop.chat(f"talker-{n}", start=await rig.now()).opened() for n in range(TALKS)]
    late = "select late_ms from firings where threshold_s in (20, 30)"
    async with rig.watching(BOARD.name) as seen, AsyncExitStack() as stack:
        for talk in talks:
            await stack.enter_async_context(talking(talk, per_s=PER_S, at_most_s=180))
        await eventually(lambda: boards_of(seen, shop), within=30, what="the first board")
        for number in range(WAITS):
            chat = await shop.chat(f"waited-{number}", start=await rig.now()).opened()
            await chat.buyer((datetime.now(UTC) - chat.start).total_seconds())

        async def told() -> bool:
            return len(await rig.rows(late)) >= 2 * WAITS

        await eventually(told, within=120, what="every threshold")
        return [row[0] for row in await rig.rows(late)], boards_of(seen, shop)


@pytest.mark.timeout(3_600)
def test_the_fold_against_another_checkout(bench: Bench, other: Checkout) -> None:
    rounds = alternating.play(bench.name, other, rounds=bench.rounds_against)
    title = "us of CPU per record"
    against.report(f"{bench.name}-against", {title: rounds}, {"against": str(other.folder)})


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
