"""What the platform shows of itself while it is attacked: metrics, logs, memory, tables.

Reads alone; must not know who attacks.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx2
import psutil

from launcher import services
from launcher.instance.processes import Processes
from launcher.postgres import addresses
from tests.platform import Platform
from tests.web import NO_TLS

NAMES: Final = tuple(service.name for service in services.SERVICES)
TIMEOUT_S: Final = 15

_SERIES: Final = re.compile(r"^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$", re.MULTILINE)
_BAD: Final = frozenset({"error", "critical"})


def metrics(platform: Platform, service: str = "gateway") -> Mapping[str, float]:
    """Return every series of a service with its value."""
    url = platform.admin_url(service) + "/metrics"
    found = httpx2.get(url, timeout=TIMEOUT_S, trust_env=False, verify=NO_TLS).raise_for_status()
    return {name: float(value) for name, value in _SERIES.findall(found.text)}


def total(found: Mapping[str, float], name: str, **labels: str) -> float:
    """Return the sum over the series of a metric with these labels."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(
        value
        for series, value in found.items()
        if series.partition("{")[0] == name and all(one in series for one in wanted)
    )


def resident(platform: Platform) -> Mapping[str, int]:
    """Return the resident bytes of every service."""
    return {name: int(psutil.Process(platform.pid(name)).memory_info().rss) for name in NAMES}


@dataclass
class Logs:
    """What the services write from now on."""

    platform: Platform
    _from: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._from = {name: self._path(name).stat().st_size for name in NAMES}

    def text(self, service: str) -> str:
        """Return what a service has written since."""
        with self._path(service).open("rb") as log:
            log.seek(self._from[service])
            return log.read().decode(errors="replace")

    def lines(self, service: str) -> Iterator[dict[str, Any]]:
        """Yield its lines as the objects that they are. Raises `ValueError` for one that is none.

        The last one may still be being written.
        """
        for line in self.text(service).rpartition("\n")[0].splitlines():
            yield json.loads(line)

    def exceptions(self) -> list[str]:
        """Return every line of any service that holds an exception or says `error`."""
        return [
            f"{name}: {line}"
            for name in NAMES
            for line in self.text(name).splitlines()
            if "Traceback" in line or '"exception"' in line or _level(line) in _BAD
        ]

    def _path(self, service: str) -> Path:
        return Processes(self.platform.known).log(service)


async def rows(platform: Platform, query: str, *values: object) -> list[dict[str, Any]]:
    """Return what the database answers its administrator."""
    dsn = addresses.administrator(platform.known)
    connection = await asyncpg.connect(dsn, timeout=TIMEOUT_S)
    try:
        return [dict(row) for row in await connection.fetch(query, *values)]
    finally:
        await connection.close()


def _level(line: str) -> str:
    try:
        return str(json.loads(line).get("level", ""))
    except (ValueError, AttributeError):
        return ""
