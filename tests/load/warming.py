"""What comes before a measurement: traffic, until what is measured has reached its usual cost.

A fresh Java compiles what runs often, and each service opens what it needs at first use; a message
costs two to four times as much until then.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tests.load.probe import traffic
from tests.load.systems import System

RATE: Final = 400.0
"""Messages a second for each system: all of them together leave two cores some room."""

SECONDS: Final = 120.0
STEP_S: Final = 0.5


async def warm_up(systems: Sequence[System], seconds: float) -> None:
    """Send modest traffic through all systems at once for so long, and show how far it is."""
    if not seconds:
        return
    showing = asyncio.create_task(_show(seconds))
    try:
        await asyncio.gather(*(traffic(one, RATE, seconds) for one in systems))
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


async def _show(seconds: float) -> None:
    columns = (TextColumn("  {task.description}"), BarColumn(), TimeRemainingColumn())
    begun = time.monotonic()
    with Progress(*columns) as progress:
        bar = progress.add_task("warming up", total=seconds)
        while not progress.finished:
            await asyncio.sleep(STEP_S)
            progress.update(bar, completed=time.monotonic() - begun)
