"""Both implementations of metrics.md in memory, on drawn logs: `just prove figures` in a second.

Without Kafka, tables and SQL, so without percentiles and distinct buyers; those it compares alone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import pytest

from contracts.base import Event
from contracts.topics import CHAT, DIRECTORY, STAFF, Topic
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.facts.staffing import Staffing
from services.monitor.response.domain import Score
from tests.faults.figures.counting import Figures, Table, Whose
from tests.faults.figures.judging import book
from tests.faults.figures.log import ms
from tests.faults.figures.rules import shipped
from tests.faults.figures.stories import Case, cases, in_order
from tests.unit.monitor.papers import ENGINE, SHIPPED, Folding, Paper

pytestmark = pytest.mark.unit

CASES: Final = 40
FIRST_DAY: Final = date(2026, 11, 1)
RULES: Final = shipped()
SUMS: Final = (
    "rounds", "round_ms", "unanswered", "within", "slow", "sessions", "first_responses",
    "first_response_ms", "first_within",
)  # fmt: skip
HOUR: Final = 3_600_000


def by_topic(case: Case) -> Mapping[Topic, Sequence[Event]]:
    """Return what a case writes."""
    found = defaultdict[Topic, list[Event]](list)
    for event in in_order([case]):
        found[event.topic].append(event)
    return found


async def counted_by_the_monitor(
    written: Mapping[Topic, Sequence[Event]], *, after: int, forgetting: bool
) -> dict[str, Table]:
    """Return what its fold counts, by profile, so long after the last record."""
    paper, shops, staffing = Paper(), Directory(), Staffing()
    for entry in written[DIRECTORY]:
        shops.list_shop(entry)  # type: ignore[arg-type] # nothing else is written there
    for change in written[STAFF]:
        staffing.note(change)  # type: ignore[arg-type] # nor there
    newest = max(ms(event.time) for events in written.values() for event in events)
    staffing.through_ms = newest + 1
    await paper.produce(*written[CHAT])
    folding = Folding(Rules(SHIPPED, shops, lambda: ENGINE, staffing))
    for end in range(1, len(paper.records) + 1) if forgetting else (len(paper.records),):
        await folding.upto(paper.records[:end])
        if forgetting:
            folding.forgets()
    sums = defaultdict[tuple[str, Whose], Score](Score)
    for key, score in folding.totals(newest + after).items():
        for agent in {None, key.agent_id}:
            sums[key.profile, Whose(key.day, agent)] += score
    found = defaultdict[str, Table](dict)
    for (profile, whose), score in sums.items():
        found[profile][whose] = Figures(**{name: getattr(score, name) for name in SUMS})
    return found


def counted_anew(written: Mapping[Topic, Sequence[Event]], *, after: int) -> dict[str, Table]:
    """Return what the second implementation counts."""
    told = book(*({0: written[topic]} for topic in (CHAT, STAFF, DIRECTORY)))
    newest = max(ms(event.time) for events in written.values() for event in events)
    told.log_times = {0: newest + after}
    tables: dict[str, Table] = {}
    for shop in told.shops:
        tables |= told.tables(shop, RULES)
    return {
        profile: {
            whose: Figures(**{name: getattr(one, name) for name in SUMS})
            for whose, one in table.items()
        }
        for profile, table in tables.items()
    }


def not_nothing(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Return tables without rows in which nothing was counted."""
    return {
        profile: {whose: one for whose, one in table.items() if one != Figures()}
        for profile, table in tables.items()
        if any(one != Figures() for one in table.values())
    }


@pytest.mark.parametrize("forgetting", [False, True], ids=["knowing", "forgetting"])
@pytest.mark.parametrize("after", [0, 7 * HOUR, 30 * HOUR])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_monitor_counts_what_metrics_md_says(
    seed: int, after: int, *, forgetting: bool
) -> None:
    for case in cases(seed, CASES, first_day=FIRST_DAY):
        written = by_topic(case)
        theirs = await counted_by_the_monitor(written, after=after, forgetting=forgetting)

        assert not_nothing(theirs) == not_nothing(counted_anew(written, after=after)), case.number
