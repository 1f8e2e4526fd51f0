"""Processes under measurement: started on their own, their CPU and memory read from the kernel."""

import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from launcher.instance import ports

CHECKOUT: Final = Path(__file__).resolve().parents[2]
START_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 10.0


class Program:
    """A Python module run as a process of its own, ended when the block ends."""

    def __init__(self, module: str, *arguments: str, port: int | None = None) -> None:
        self._argv = [sys.executable, "-m", module, *arguments]
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._argv, cwd=CHECKOUT)
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._port is not None and not ports.is_open(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(self._argv[1:])} did not open port {self._port}")
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()

    @property
    def pid(self) -> int:
        """The process id while the block runs."""
        if self._process is None:
            raise RuntimeError("the program has not been started")
        return self._process.pid


@dataclass(frozen=True, slots=True)
class CpuSeconds:
    """CPU seconds, user and system, by the name of what was measured."""

    by_name: Mapping[str, float]

    def since(self, before: "CpuSeconds") -> "CpuSeconds":
        """Return what was used between two readings."""
        return CpuSeconds(
            {name: round(now - before.by_name[name], 3) for name, now in self.by_name.items()}
        )

    @property
    def total(self) -> float:
        """The sum over all names."""
        return sum(self.by_name.values())


def cpu_seconds(groups: Mapping[str, Sequence[int]]) -> CpuSeconds:
    """Read the CPU used so far by each group of process ids, their children included."""
    return CpuSeconds({name: sum(map(_used, _family(pids))) for name, pids in groups.items()})


def cpu_of_all(pids: Iterable[int]) -> float:
    """Read the CPU used so far by all of these and their children, nobody counted twice."""
    return sum(map(_used, {one.pid: one for one in _family(pids)}.values()))


def resident_bytes(pid: int) -> int:
    """Return the memory of one process that is its own and resident (USS)."""
    return int(psutil.Process(pid).memory_full_info().uss)


def _family(pids: Iterable[int]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in pids:
        parent = psutil.Process(pid)
        found += [parent, *parent.children(recursive=True)]
    return found


def _used(process: psutil.Process) -> float:
    """CPU of a process and of its children that have ended; one that is gone counts nothing."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
