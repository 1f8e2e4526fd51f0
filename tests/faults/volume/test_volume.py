"""`just prove volume`: what is asked costs the same among a million conversations as among few.

Fills two databases of their own, one small and one as large as `--conversations` says, with ten
messages for each conversation and an agent for every 200. The small one holds enough that every
page is full in both; the answers are the same, and so the time should be. What grows by more than
15 % has a reason with its figure, or fails. A million take some 8 GB of disk and, on two busy
cores, twelve minutes; `--conversations 20000` is for trying, and `--only board` chooses by name.
"""

import asyncio
import time
from typing import Final

import pytest
from rich.console import Console

from tests.faults.campaign import wished
from tests.faults.volume.filling import filled
from tests.faults.volume.ground import working_on
from tests.faults.volume.measuring import Row, compare, line, report
from tests.faults.volume.subjects import subjects
from tests.infrastructure import Infrastructure

BOUND_S: Final = 5400
"""The whole run, filling included; it ends by itself before pytest would end it."""

pytestmark = [pytest.mark.fault, pytest.mark.heavy, pytest.mark.timeout(BOUND_S + 120)]

EMPTY: Final = 5_000
"""So few conversations fill every page of every list, and no more."""


async def test_nothing_grows_with_the_tables(
    pytestconfig: pytest.Config, infra: Infrastructure, conversations: int, repeats: int
) -> None:
    console, begun = Console(), time.monotonic()

    def say(words: str) -> None:
        console.print(f"[{time.monotonic() - begun:6.0f} s] {words}", markup=False, soft_wrap=True)

    rows: list[Row] = []
    wish = wished(pytestconfig)
    async with (
        asyncio.timeout(BOUND_S),
        filled(infra, EMPTY, say=say) as little,
        filled(infra, conversations, say=say) as much,
        working_on(little) as empty,
        working_on(much) as full,
    ):
        try:
            for subject in filter(lambda one: wish.names(one.name), subjects()):
                rows.append(await compare(subject, empty, full, repeats=repeats))
                say(line(rows[-1]))
        finally:  # what was measured is shown, whatever ends the run
            figures = {
                "conversations": conversations,
                "empty": EMPTY,
                "repeats": repeats,
                "filling_s": {"empty": little.seconds, "full": much.seconds},
                "took_s": round(time.monotonic() - begun),
            }
            report(rows, figures, say=say)
    assert [line(row) for row in rows if not row.held] == []
