"""One measurement: a generator's run against a system, with the CPU of every process beside it.

And what everybody else on the machine used meanwhile: a figure is worth what it was disturbed by.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from kit.clock import SystemClock
from kit.ids import uuid7
from tests.load.generator import SEATED, Job
from tests.load.machine import Others, Reading
from tests.load.processes import CHECKOUT, CpuSeconds, cpu_seconds
from tests.load.systems import System, pids_of

GENERATOR: Final = "tests.load.generator"
WARMUP_S: Final = 2.0
MEASURED_S: Final = 6.0
GENERATOR_TIMEOUT_S: Final = 90.0
"""Beyond what its job lasts: it seats everybody first, and waits for the last answers."""

ARCHIVE_SETTLES_S: Final = 1.5

P99_LIMIT_MS: Final = 100.0
ARCHIVE_LIMIT_MS: Final = 1_000.0
SENT_SHARE: Final = 0.98
"""The generator must have kept its timetable, or the probe says nothing about the system."""

STEP: Final = 1.25
CLIMBS: Final = 8
"""Steps of the search for the highest rate at most, up or down."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one rate did to one system. `cpu_us` is CPU per message by process, in microseconds."""

    system: str
    rate: float
    result: dict[str, Any]
    archive_p99_ms: float | None
    cpu_us: dict[str, float]
    generator_us: float
    others: Others

    @property
    def total_us(self) -> float:
        """CPU per message of all processes of the system."""
        return round(sum(self.cpu_us.values()), 1)

    @property
    def complaint(self) -> str | None:
        """The first limit that was broken; None when all held."""
        found, screen = self.result, self.result["screen_ms"]["p99"]
        checks = (
            (found["sent_per_s"] >= SENT_SHARE * self.rate, "the generator fell behind"),
            (found["acknowledged"] == found["sent"], "messages without acknowledgement"),
            (not found["lost"], "lost messages"),
            (not found["doubled"], "doubled messages"),
            (not found["out_of_order"], "messages out of order"),
            (screen is not None and screen <= P99_LIMIT_MS, f"screen p99 {screen} ms"),
            (
                self.archive_p99_ms is None or self.archive_p99_ms <= ARCHIVE_LIMIT_MS,
                f"archive p99 {self.archive_p99_ms} ms",
            ),
        )
        return next((why for holds, why in checks if not holds), None)

    def as_json(self) -> dict[str, Any]:
        """Return everything measured."""
        return {**asdict(self), "total_us": self.total_us, "complaint": self.complaint}


async def probe(
    system: System,
    rate: float,
    *,
    seconds: float = MEASURED_S,
    beside: Sequence[System] = (),
    resends: bool = False,
) -> Probe:
    """Send `rate` messages a second for a while and say what happened.

    `beside` are systems that this bench keeps standing meanwhile: what they use is not others'.
    """
    job = replace(_job(system, rate, seconds=seconds, warmup=WARMUP_S), resends=resends)
    groups = system.processes()
    own = pids_of(system, *beside)
    async with _generator(job) as generator:
        await _seated(generator)
        before, since = cpu_seconds(groups), time.time() + WARMUP_S
        machine = Reading.now(own)
        result = await _result(generator)
    used = cpu_seconds(groups).since(before)
    others = Reading.now(own).others_since(machine)
    await asyncio.sleep(ARCHIVE_SETTLES_S)
    lag = await system.archive_lag_p99_ms(since)
    found = Probe(
        system=system.name,
        rate=round(rate, 1),
        result=result,
        archive_p99_ms=None if lag is None else round(lag, 1),
        cpu_us=_per_message(used, result["sent"]),
        generator_us=round(result["generator_cpu_s"] / result["sent"] * 1e6, 1),
        others=others,
    )
    _say(found)
    return found


async def traffic(system: System, rate: float, seconds: float) -> dict[str, Any]:
    """Send `rate` messages a second and measure nothing beside; return what the generator found."""
    job = _job(system, rate, seconds=seconds, warmup=0)
    async with _generator(job) as generator:
        await _seated(generator)
        return await _result(generator)


async def highest_rate(system: System, start: float, *, beside: Sequence[System] = ()) -> Probe:
    """Climb from `start` to the highest rate at which every limit holds, to about 12 %."""
    best: Probe | None = None
    rate = start
    for _ in range(CLIMBS):
        found = await probe(system, rate, beside=beside)
        if found.complaint is None:
            best = found
            rate *= STEP
        elif best is not None:
            break
        else:
            rate /= STEP
    if best is None:
        raise RuntimeError(f"{system.name} does not even carry {rate:.0f} messages/s")
    between = await probe(system, best.rate * STEP**0.5, beside=beside)
    return between if between.complaint is None else best


def _job(system: System, rate: float, *, seconds: float, warmup: float) -> Job:
    return Job(system.urls, uuid7(SystemClock())[:-9], rate, seconds, warmup, tuple(system.pairs))


def _per_message(used: CpuSeconds, messages: int) -> dict[str, float]:
    return {name: round(cpu / messages * 1e6, 1) for name, cpu in used.by_name.items()}


def _say(found: Probe) -> None:
    screen = found.result["screen_ms"]
    line = (
        f"{found.system:<28} {found.rate:>8.0f}/s"
        f"  screen p50 {screen['p50']} p99 {screen['p99']} ms"
        f"  archive p99 {found.archive_p99_ms} ms  CPU {found.total_us} us/message"
        f"  generator {found.generator_us} us  {found.complaint or 'holds'}"
        f"{found.others.remark}"
    )
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


@asynccontextmanager
async def _generator(job: Job) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a generator and give it its job; it is killed if the block fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        GENERATOR,
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(job.warmup + job.seconds + GENERATOR_TIMEOUT_S):
            if process.stdin is not None:
                process.stdin.write(json.dumps(asdict(job)).encode())
                process.stdin.close()
            yield process
    except BaseException:
        if process.returncode is None:
            process.kill()
        raise
    finally:
        await process.wait()


async def _seated(generator: asyncio.subprocess.Process) -> None:
    line = await _line(generator)
    if line.strip() != SEATED.encode():
        raise RuntimeError("the generator ended before everybody was connected")


async def _result(generator: asyncio.subprocess.Process) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await _line(generator))
    return found


async def _line(generator: asyncio.subprocess.Process) -> bytes:
    if generator.stdout is None:
        raise RuntimeError("the generator has no output")
    return await generator.stdout.readline()
