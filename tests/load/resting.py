"""The platform when nobody is there: what it takes to start, and what it costs to stand."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.load.checkout import Checkout
from tests.load.machine import Others, Reading
from tests.load.processes import cpu_seconds

SETTLES_S: Final = 20.0
"""After its start: groups find their members, and Java compiles what it began with."""

MEASURED_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Rest:
    """Seconds that a start took, and percent of a core that each process used while idle."""

    start_s: float
    percent: Mapping[str, float]
    others: Others

    @property
    def total(self) -> float:
        """The percent of a core of all processes together."""
        return sum(self.percent.values())


async def rest(checkout: Checkout) -> Rest:
    """Start a platform that ran before, leave it alone, and stop it."""
    with checkout.running() as platform:
        await asyncio.sleep(SETTLES_S)
        groups = {name: [pid] for name, pid in platform.pids().items()}
        before, machine = cpu_seconds(groups), Reading.now(platform.pids().values())
        await asyncio.sleep(MEASURED_S)
        used = cpu_seconds(groups).since(before)
        others = Reading.now(platform.pids().values()).others_since(machine)
    percent = {name: round(cpu / MEASURED_S * 100, 2) for name, cpu in used.by_name.items()}
    return Rest(round(platform.start_s, 1), percent, others)
