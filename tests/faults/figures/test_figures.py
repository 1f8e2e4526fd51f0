"""`just prove figures`: metrics.md a second time, against the running monitor.

Logs drawn from a seed are written to a monitor that stands alone, which is killed while it reads
them; then a floor of shops is played on the whole platform. Every figure of every profile is
computed from the topics and compared with what the public API answers. `--seed 17` draws others.
"""

import asyncio
import random
import shutil
import time
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from contracts.base import Event
from contracts.topics import CHAT, DIRECTORY, STAFF
from kit.bus.kafka import KafkaBus
from rehearsal.api import Api
from tests.faults.campaign import wished
from tests.faults.figures.judging import (
    Ask,
    Book,
    Difference,
    Verdict,
    Wait,
    book,
    judge,
    judge_board,
    waiting,
)
from tests.faults.figures.log import ms
from tests.faults.figures.lone import LoneMonitor, Monitors, read
from tests.faults.figures.playing import Floor, play
from tests.faults.figures.proving import AFTER_MS, Proof, Shrinking, long_ago
from tests.faults.figures.rules import PROFILES, rule, shipped
from tests.faults.figures.stories import Case, cases, in_order
from tests.platform import CHECKOUT, Platform
from tests.world import World

pytestmark = [pytest.mark.fault, pytest.mark.heavy, pytest.mark.timeout(600)]

SEED = 11
CASES = 60
KILLS = 3
ALIVE_S = 0.4
"""How long a monitor reads before it dies."""
FEW = 12
FLOORS = 2
HUMAN = "qiyu"
"""A profile by which only people answer, all day: so a wait is seen."""
DIALOGUES = 150
PLAYED_S = 30.0
DAYS_AGO = 20
SETTLED_S = 20.0
AGAIN_S = 2.0
SHOWN = 30
EXPLAINED, EXPLAINED_S = 4, 90.0
"""How many kinds of differences are made small, and how long that may take."""

NEW = {
    "name": '"own_night"',
    "start": '"20:00"',
    "effective": '["agent", "assist_bot"]',
    "within_s": "60",
    "first_within_s": "20",
    "unanswered": '"elapsed"',
    "transfer_counts": "true",
    "session_gap_s": "1200",
    "rejoin_s": "300",
}
"""What sets the new profile apart from `HUMAN`, whose data file it takes for the rest."""

CHANGED = "kuaishou_2023"
NEXT = {
    "effective_from": long_ago(DAYS_AGO // 2 - 1).isoformat(),
    "start": '"00:00"',
    "end": '"24:00"',
    "within_s": "60",
    "unanswered": '"exclude"',
    "transfer_counts": "true",
    "session_gap_s": "1200",
    "rejoin_s": "60",
}
"""What the next version of `CHANGED` says otherwise, from a midnight amidst the later logs on."""


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    """The seed of this run; printed, so that a red one can be drawn again."""
    wish = wished(pytestconfig)
    return SEED if wish.seed is None else wish.seed


async def test_of_written_logs(lone: LoneMonitor, monitors: Monitors, seed: int) -> None:
    drawn = cases(seed, CASES, first_day=long_ago(DAYS_AGO))
    events, proof = in_order(drawn), Proof(lone, shipped())
    say(f"seed {seed}: {len(drawn)} cases, {len(events)} records")

    await proof.listed([case.listed for case in drawn])
    await written_while_killed(lone, events[len(drawn) :])
    await proof.caught_up(newest(events) + AFTER_MS)
    verdict = await proof.judged([case.shop for case in drawn])

    say(verdict.shown("written logs, two monitors, each killed under load"))
    assert not verdict.differences, await explained(monitors, drawn, verdict)
    code, words = await lone.command("recompute")
    say(words)
    assert code == 0, words


async def written_while_killed(lone: LoneMonitor, events: Sequence[Event]) -> None:
    """Write everything in parts; in the midst of each one of two monitors dies and comes back."""
    other = lone.beside()
    try:
        await other.prepare()
        await other.start()
        size = len(events) // KILLS + 1
        for number, first in enumerate(range(0, len(events), size)):
            victim = (lone, other)[number % 2]
            writing = asyncio.create_task(lone.write(events[first : first + size]))
            await asyncio.sleep(ALIVE_S)
            await victim.kill()
            await asyncio.gather(writing, victim.start())
    finally:
        await other.close()


async def test_of_a_profile_that_comes_and_goes(
    lone: LoneMonitor, seed: int, tmp_path: Path
) -> None:
    proof = Proof(lone, shipped())
    added = [new_profile(), new_version()]
    own, changed = (rule(tomllib.loads(text)) for text in added)
    before = cases(seed + 1, FEW, first_day=long_ago(DAYS_AGO))
    after = cases(seed + 2, FEW, first_day=long_ago(DAYS_AGO // 2), days_before=0)
    await proof.written(in_order(before))

    await lone.stop()
    lone.source = with_profiles(tmp_path, added)
    await lone.start()
    await proof.written(in_order(after))
    proof.rules = [*shipped(), changed]
    known = await proof.judged([case.shop for case in before])
    new = await Proof(lone, [*proof.rules, own]).judged([case.shop for case in after])
    say(new.shown("with a profile more, and one that changes at a midnight"))
    assert not known.differences + new.differences, first_of(known, new)

    await lone.stop()
    lone.source = CHECKOUT
    await lone.start()
    proof.rules = [one for one in shipped() if one.name != CHANGED]
    verdict = await proof.judged([case.shop for case in before + after])
    say(verdict.shown("with both gone; what they had judged stays"))
    assert not verdict.differences, first_of(verdict)


def new_profile() -> str:
    """Return the text of the new profile's data file."""
    return otherwise(HUMAN, NEW)


def new_version() -> str:
    """Return the text of the data file of a profile's next version."""
    return otherwise(CHANGED, NEXT)


def otherwise(profile: str, values: Mapping[str, str]) -> str:
    """Return a profile's data file with other values."""
    lines = (PROFILES / f"{profile}.toml").read_text(encoding="utf-8").splitlines()
    keys = [line.partition(" = ")[0] for line in lines]
    assert values.keys() <= set(keys), f"{profile} does not say {values.keys() - set(keys)}"
    return "\n".join(
        f"{key} = {values[key]}" if key in values else line
        for key, line in zip(keys, lines, strict=True)
    )


def with_profiles(folder: Path, added: Sequence[str]) -> Path:
    """Return a release with more profiles: a copy of this one and data files."""
    for part in ("contracts", "kit", "profiles", "reception", "wording", "services"):
        shutil.copytree(
            CHECKOUT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    place = folder / PROFILES.relative_to(CHECKOUT)
    for number, text in enumerate(added):
        (place / f"added_{number}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
async def world(platform: Platform) -> AsyncIterator[World]:
    """Shops and people of this test's own."""
    async with Api(platform.url) as api:
        made = World(api, await api.sign_in(*platform.admin))
        yield made
        await made.close()


async def test_of_a_play(platform: Platform, world: World, seed: int) -> None:
    floors = [await Floor.opened(world) for _ in range(FLOORS)]
    rng = random.Random(seed)
    playing = asyncio.create_task(play(floors, rng, dialogues=DIALOGUES, seconds=PLAYED_S))
    await asyncio.sleep(PLAYED_S / 2)
    await asyncio.to_thread(platform.kill, "monitor")
    await asyncio.to_thread(platform.start, "monitor")
    moves = await playing
    say(f"seed {seed}: {DIALOGUES} dialogues, {moves} moves in {FLOORS} shops")

    assert moves > DIALOGUES

    verdict, waits = await settled(platform, floors)

    say(verdict.shown("a play, its monitor killed in its midst"))
    assert not verdict.differences, first_of(verdict)
    assert not waits, f"who waits: in the monitor or here alone {waits}"


async def topics_of(bus: KafkaBus) -> Book:
    """Return what the platform's topics say by now.

    Its monitor has folded them through this moment by the time that it is asked, or a second later.
    """
    now = round(time.time() * 1_000)
    found = book(*[await read(bus, topic.name) for topic in (CHAT, STAFF, DIRECTORY)])
    found.log_times = {one: max(now, newest) for one, newest in found.log_times.items()}
    return found


def asking(floor: Floor) -> Ask:
    """Return how the shop's supervisor asks."""

    async def ask(path: str, shop: str, query: Mapping[str, str]) -> Any:
        token = floor.boss.session.token
        return await floor.world.api.call("GET", path, token=token, params={"shop": shop, **query})

    return ask


def first_of(*verdicts: Verdict) -> str:
    """Return the first differences, a line each."""
    found = [one for verdict in verdicts for one in verdict.differences]
    return "\n".join((f"{len(found)} figures differ", *map(str, found[:SHOWN])))


def newest(events: Sequence[Event]) -> int:
    """Return the newest receive time."""
    return max(ms(event.time) for event in events)


def say(what: object) -> None:
    """Print, shown with -s."""
    Console(width=120).print(what)


async def settled(platform: Platform, floors: Sequence[Floor]) -> tuple[Verdict, set[Wait]]:
    """Compare until nothing differs, or for so long that it never will.

    Also return who waits on one of the two sides alone.
    """
    bus = KafkaBus(platform.known.bootstrap_servers, client_id="peakdesk-figures")
    until = time.monotonic() + SETTLED_S
    try:
        while True:
            verdict, waits = await looked_at(await topics_of(bus), floors)
            if not (verdict.differences or waits) or time.monotonic() > until:
                return verdict, waits
            await asyncio.sleep(AGAIN_S)
    finally:
        await bus.close()


async def looked_at(told: Book, floors: Sequence[Floor]) -> tuple[Verdict, set[Wait]]:
    verdict, waits, rules = Verdict(), set[Wait](), shipped()
    human = next(one for one in rules if one.name == HUMAN)
    for floor in floors:
        ask, shop = asking(floor), floor.shop.id
        verdict.add(await judge(ask, told, rules, shops=[shop]))
        verdict.add(await judge_board(ask, told, rules, shop=shop, day=long_ago(0)))
        waits |= await waiting(ask, shop) ^ told.waits(shop, human)
    return verdict, waits


async def explained(monitors: Monitors, drawn: Sequence[Case], verdict: Verdict) -> str:
    """Return what differs, and the smallest log of a few kinds of it."""
    by_shop = {str(case.shop): in_order([case]) for case in drawn}
    kinds: dict[str, Difference] = {}
    for one in sorted(verdict.differences, key=lambda one: len(by_shop[one.shop])):
        kinds.setdefault(one.figure, one)
    lines = [f"{len(verdict.differences)} figures differ"]
    with suppress(TimeoutError):
        async with asyncio.timeout(EXPLAINED_S):
            for one in list(kinds.values())[:EXPLAINED]:
                shrinking = Shrinking(Proof(await monitors(), shipped()))
                lines += ["", str(one), *await shrinking.of(by_shop[one.shop], one)]
    return "\n".join(lines)
