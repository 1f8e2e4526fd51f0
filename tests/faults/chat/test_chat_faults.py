"""`just prove chat`: each fault against a rehearsal of its own, and a table of what came of it.

Takes about half an hour, so it is no part of the default run. `--rounds 30` repeats short
rehearsals with other seeds instead, `--only drain` chooses faults by their names, and `--seed 17`
says with which seed to begin: a red round can so be played again. `--zone Asia/Dhaka` puts the
probes' shop there: begun shortly before six in the evening, UTC, the play crosses its midnight.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.console import Console

from tests.faults.campaign import Tally, Wish, line, wished
from tests.faults.outages import drained, kafka_away, killed, paused, postgres_away, storm
from tests.faults.pressures import (
    archive_behind,
    crowd,
    one_dies,
    poison,
    refusing,
    short_ring,
    slow_readers,
    two_of_each,
)
from tests.faults.releases import (
    a_profile_more,
    killed_between,
    newer_beside,
    profile_added,
    two_books,
)
from tests.faults.stage import Fault, Load, play
from tests.platform import Platform

pytestmark = [pytest.mark.fault, pytest.mark.heavy, pytest.mark.timeout(300)]

LOAD = Load(rate=30, seconds=35, at_s=6, within_s=240)

ROUND = Load(rate=30, seconds=8, at_s=2, within_s=150, backoff_s=(0.1, 1.0))
"""As short as a fault allows, so that many seeds are tried: its people come back quickly. Its limit
lies far above the 20 s that it takes, because one that hangs is a finding and a slow machine none.
"""

FAULTS = (
    Fault("kill -9 gateway", killed("gateway")),
    Fault("kill -9 conversation", killed("conversation")),
    Fault("kill -9 monitor", killed("monitor")),
    Fault("kill -9 orders", killed("orders")),
    Fault("kill -9 aftersales", killed("aftersales")),
    Fault("Kafka away for 10 s", kafka_away(10)),
    Fault("PostgreSQL away for 10 s", postgres_away(10)),
    Fault("gateway drains on SIGTERM", drained("gateway")),
    Fault("archive paused for 20 s", paused("conversation", 20)),
    Fault("reconnect storm", storm),
    Fault("slow readers", slow_readers(25)),
    Fault("monitor frozen for 15 s beside another", paused("monitor", 15), two_of_each),
    Fault("archive lags behind the ring", archive_behind(16), short_ring),
    Fault("poison of eight kinds", poison),
    Fault("one poison each of forty visitors", crowd),
    Fault("every record is refused for 12 s", refusing(12)),
    Fault("one of two gateways dies", one_dies("gateway"), two_of_each),
    Fault("one of two monitors dies", one_dies("monitor"), two_of_each),
    Fault("kill -9 conversation between storing and acting", killed_between),
    Fault("a rule profile more", profile_added, a_profile_more),
    Fault("a monitor of a longer book beside", newer_beside, two_books),
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play every wished-for fault once at length, or in as many short rounds as were asked for."""
    wish = wished(metafunc.config)
    cases = [
        pytest.param(fault, load, id=f"{fault.name}, seed {load.seed}")
        for fault in FAULTS
        if wish.names(fault.name)
        for load in _loads(wish)
    ]
    if not cases:
        raise pytest.UsageError(f"no fault is called like {wish.only}")
    metafunc.parametrize(("fault", "load"), cases)


def _loads(wish: Wish) -> list[Load]:
    load = LOAD if wish.rounds is None else ROUND
    first = load.seed if wish.seed is None else wish.seed
    there = load if wish.zone is None else replace(load, zone=wish.zone)
    return [there.sown(first + number) for number in range(wish.rounds or 1)]


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """What came of the faults so far; printed as a table when all were played."""
    in_rounds = wished(request.config).rounds is not None
    load = ROUND if in_rounds else LOAD
    title = (
        f"{load.rate:g} messages/s for {load.seconds:g} s per {'round' if in_rounds else 'fault'}"
    )
    tally = Tally(title, in_rounds=in_rounds)
    yield tally
    Console(width=150).print(tally.table())


async def test_no_promise_breaks_under(
    fault: Fault, load: Load, platform: Platform, tally: Tally
) -> None:
    tally.begin(fault, load)
    try:
        row = await play(platform, fault, load)
    except BaseException:
        # A fault that broke off in the middle leaves parts dead: the next one needs them.
        await asyncio.to_thread(platform.up)
        raise
    tally.end(fault, load, row)
    print(line(fault, load, row))  # noqa: T201 - shown with -s

    assert row.held, row.why
