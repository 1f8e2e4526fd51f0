"""Whether a system beyond its highest rate still carries what it can.

A platform that lets everybody wait until nobody waits any more does work for no one.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.load.machine import Others, Reading
from tests.load.probe import WARMUP_S, traffic
from tests.load.processes import cpu_seconds
from tests.load.systems import System, pids_of

OVER: Final = 1.5
SECONDS: Final = 12.0
"""Longer than people wait: what is put off must show."""

AT_REST_CORES: Final = 0.4
REST_S: Final = 1.0
RESTED_WITHIN_S: Final = 60.0
MODULE: Final = "tests.load.overload"


@dataclass(frozen=True, slots=True)
class Goodput:
    """What was acknowledged in time when so much was offered."""

    rate: float
    per_s: float
    others: Others
    result: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return everything measured."""
        return asdict(self)


async def goodput(system: System, rate: float, *, beside: Sequence[System] = ()) -> Goodput:
    """Offer `rate` messages a second for a while; return once the system is at rest again."""
    own = pids_of(system, *beside)
    before = Reading.now(own)
    result = await traffic(system, rate, SECONDS, warmup=WARMUP_S, module=MODULE)
    found = Goodput(
        round(rate, 1), result["goodput_per_s"], Reading.now(own).others_since(before), result
    )
    sys.stdout.write(
        f"  {system.name:<28} {rate:>8.0f}/s  goodput {found.per_s}/s"
        f"  late {result['late']}  unanswered {result['unanswered']}  refused {result['refused']}"
        f"  reconnects {result['reconnects']}{found.others.remark}\n"
    )
    sys.stdout.flush()
    await _at_rest(system)
    return found


async def _at_rest(system: System) -> None:
    """Return once what was put off is done, at the latest after `RESTED_WITHIN_S`."""
    groups = system.processes()
    for _ in range(round(RESTED_WITHIN_S / REST_S)):
        before = cpu_seconds(groups)
        await asyncio.sleep(REST_S)
        if cpu_seconds(groups).since(before).total < AT_REST_CORES * REST_S:
            return
