"""Which process a pid means: the same number is given out again after a while, and after a reboot.

Knows the system's process table; must not know who noted a pid.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psutil

SAME_START_S: Final = 2.0
"""For notes of older launchers, which hold the time of day: read minutes apart it differs by a
clock tick and by clock corrections."""
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_STARTED: Final = 19
"""Field `starttime` of /proc/PID/stat, counted after the name, which may hold blanks."""


def of(pid: int) -> str:
    """Return what no other process has that is given this pid. Raises psutil.NoSuchProcess.

    On Linux the boot and the ticks since then: the time of day, which psutil computes from these,
    moves whenever somebody sets the clock.
    """
    try:
        boot = _BOOT.read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if _BOOT.exists():
            raise psutil.NoSuchProcess(pid) from None
        return f"{psutil.Process(pid).create_time():.2f}"
    return f"{boot}/{stat.rpartition(')')[2].split()[_STARTED]}"


def find(note: Mapping[str, Any]) -> psutil.Process | None:
    """Return the live process that `note` (pid, identity) means; a stopped one lives."""
    try:
        process = psutil.Process(note["pid"])
        if "identity" in note:
            same = of(process.pid) == note["identity"]
        else:
            same = abs(process.create_time() - note["started"]) < SAME_START_S
        return process if same and lives(process) else None
    except psutil.NoSuchProcess:
        return None


def lives(process: psutil.Process) -> bool:
    """Return whether it still runs: one that ended may wait long for its parent to notice."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_suspended(process: psutil.Process) -> bool:
    """Return whether somebody stopped it by a signal: it lives, and does nothing meanwhile."""
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False
