"""`just prove chat`: each fault against a rehearsal of its own, and a table of what came of it.

Takes about twenty minutes, so it is no part of the default run.
"""

from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.table import Table

from tests.faults.outages import drained, kafka_away, killed, paused, postgres_away, storm
from tests.faults.pressures import (
    archive_behind,
    one_dies,
    poison,
    short_ring,
    slow_readers,
    two_of_each,
)
from tests.faults.stage import COLUMNS, Fault, Load, Row, cells, play
from tests.platform import Platform

pytestmark = [pytest.mark.fault, pytest.mark.heavy, pytest.mark.timeout(300)]

LOAD = Load(rate=30, seconds=35, at_s=6)

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
    Fault("one of two gateways dies", one_dies("gateway"), two_of_each),
    Fault("one of two monitors dies", one_dies("monitor"), two_of_each),
)


@pytest.fixture(scope="module")
def table() -> Iterator[list[Row]]:
    """The rows so far; printed when all faults were played."""
    rows: list[Row] = []
    yield rows
    shown = Table(title=f"{LOAD.rate:g} messages/s for {LOAD.seconds:g} s per fault")
    for number, column in enumerate(COLUMNS):
        shown.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*cells(row))
    Console(width=140).print(shown)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_no_promise_breaks_under(fault: Fault, platform: Platform, table: list[Row]) -> None:
    row = await play(platform, fault, LOAD)
    table.append(row)
    print(" | ".join(cells(row)), "" if row.held else row.why)  # noqa: T201 - shown with -s

    assert row.held, row.why
