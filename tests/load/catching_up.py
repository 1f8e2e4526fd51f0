"""One contestant's run: what it is told on standard input, what it says when it has caught up.

Each contestant is a process of its own, so that its CPU is its own. Must not know any of them.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import uvloop

from tests.load.processes import CpuSeconds, cpu_seconds

STUCK_S: Final = 60.0
"""A contestant that has not caught up after so long has failed."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to read and where to write. `watched` are pids whose CPU is told beside one's own."""

    bootstrap_servers: str
    prefix: str
    records: int
    dsn: str = ""
    watched: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Self:
        """Read the job from standard input."""
        return cls(**json.load(sys.stdin))

    def as_json(self) -> str:
        """Return what `read` reads."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Lap:
    """What catching up took: seconds of CPU of the process itself, of others, and of the clock."""

    records: int
    cpu_s: float
    wall_s: float
    others_cpu_s: Mapping[str, float] = field(default_factory=dict)

    def us(self, *others: str) -> float:
        """Return microseconds of CPU per record, those of other processes added."""
        used = self.cpu_s + sum(self.others_cpu_s[name] for name in others)
        return round(used / self.records * 1e6, 2)

    @property
    def per_s(self) -> float:
        """Records a second by the clock."""
        return round(self.records / self.wall_s, 1)


class Stopwatch:
    """Measures from the moment a contestant is connected until it has caught up."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._wall = self._cpu = 0.0
        self._others = CpuSeconds({})

    def start(self) -> None:
        """Begin to measure; a second call changes nothing."""
        if not self._wall:
            self._others = cpu_seconds(self._job.watched)
            self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> Lap:
        """Return what was used."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        others = cpu_seconds(self._job.watched).since(self._others)
        return Lap(self._job.records, cpu, wall, others.by_name)


def contend(run: Callable[[Job], Awaitable[Lap]]) -> None:
    """Do the job on standard input on the event loop that services run on; print the lap."""

    async def main() -> dict[str, Any]:
        return asdict(await run(Job.read()))

    print(json.dumps(uvloop.run(main())))  # noqa: T201 - its one output
