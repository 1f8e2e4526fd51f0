"""Rounds of catching up, contestants in turn: CPU per record of each."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.infrastructure import TestDatabase
from tests.load.catching_up import Job, Lap
from tests.load.ground import Ground
from tests.load.processes import CHECKOUT

LAP_TIMEOUT_S: Final = 180.0

Round = Mapping[str, Lap]
"""One lap of each contestant, by name."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A process that catches up; `stage` says on what, and what is ready before it starts."""

    name: str
    argv: Sequence[str]
    stage: Callable[[Ground], AbstractAsyncContextManager[Job]]

    @classmethod
    def module(
        cls, name: str, module: str, stage: Callable[[Ground], AbstractAsyncContextManager[Job]]
    ) -> "Contestant":
        """Return one that is a module of ours."""
        return cls(name, (sys.executable, "-m", module), stage)


@asynccontextmanager
async def bare(ground: Ground) -> AsyncIterator[Job]:
    """Give the topic alone."""
    yield ground.job()


def with_tables(
    service: str, prepare: Callable[[TestDatabase], Any] | None = None
) -> Callable[[Ground], AbstractAsyncContextManager[Job]]:
    """Return a stage with a fresh database that has a service's tables."""

    @asynccontextmanager
    async def stage(ground: Ground) -> AsyncIterator[Job]:
        async with ground.database(service) as made:
            if prepare is not None:
                await prepare(made)
            yield ground.job(made.dsn(service))

    return stage


async def play(
    ground: Ground, contestants: Sequence[Contestant], *, rounds: int
) -> Sequence[Round]:
    """Let everybody catch up, in turn, round after round."""
    played = []
    for number in range(rounds):
        laps = {}
        for contestant in contestants:
            async with contestant.stage(ground) as job:
                laps[contestant.name] = await _lap(contestant, job)
            _say(number, contestant.name, laps[contestant.name])
        played.append(laps)
    return played


def as_json(rounds: Sequence[Round]) -> Sequence[Mapping[str, Any]]:
    """Return every lap."""
    return [{name: asdict(lap) for name, lap in laps.items()} for laps in rounds]


def uv() -> str:
    """Return the uv that runs floors whose libraries do not fit into ours."""
    own = sorted((CHECKOUT / ".peakdesk").glob("uv-*/bin/uv"))
    found = shutil.which("uv") or (str(own[-1]) if own else None)
    if found is None:
        raise RuntimeError("this bench needs uv on the PATH: `./peakdesk up` fetches one")
    return found


async def _lap(contestant: Contestant, job: Job) -> Lap:
    done = await asyncio.to_thread(
        subprocess.run,
        contestant.argv,
        input=job.as_json(),
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        timeout=LAP_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{contestant.name} did not catch up: {done.stderr[-2_000:]}")
    return Lap(**json.loads(done.stdout.splitlines()[-1]))


def _say(number: int, name: str, lap: Lap) -> None:
    others = "".join(f"  {other} {lap.us(other) - lap.us():.1f}" for other in lap.others_cpu_s)
    line = f"round {number + 1}  {name:<44} {lap.us():>7.1f} us{others}  {lap.per_s:>9.0f}/s"
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()
