"""Writes who reads which topic into the contract, from what services register.

`python -m tools.readers` writes the file anew: dead-letter topics are made by it, and pages and
reports show it. A test compares it with the services.
"""

import importlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from kit.service.core import Service
from tools import heads

SERVICES: Final = ("gateway", *heads.SERVICES)
FILE: Final = Path(__file__).resolve().parents[1] / "contracts/readers.py"

_BEFORE: Final = '''"""Who reads a topic and in which groups: `python -m tools.readers` wrote it."""

from collections.abc import Mapping
from typing import Final

READERS: Final[Mapping[str, tuple[str, ...]]] = {
'''
_BETWEEN: Final = '''}
"""Services by topic."""

GROUPS: Final = (
'''


class Reading(NamedTuple):
    """One topic that a service reads, under the name of a group or of a reader of its own."""

    service: str
    name: str
    topic: str


@cache
def built() -> Mapping[str, Service[Any]]:
    """Return every service as it is built by default: none is started."""
    apps = {name: importlib.import_module(f"services.{name}.app") for name in SERVICES}
    return {name: app.build(app.Settings()) for name, app in apps.items()}


def readings() -> Iterator[Reading]:
    """Yield everything that services registered to read, alone or in a group."""
    for service, one in built().items():
        read = {name: group.topics for name, group in one.groups.items()} | one.readers
        for name, topics in read.items():
            yield from (Reading(service, name, topic) for topic in topics)


def groups() -> list[str]:
    """Return the groups that services join."""
    return sorted(group for one in built().values() for group in one.groups)


def written() -> str:
    """Return the file as it should stand."""
    services: defaultdict[str, set[str]] = defaultdict(set)
    for one in readings():
        services[one.topic].add(one.service)
    lines = [f'    "{topic}": {_tuple(services[topic])},\n' for topic in sorted(services)]
    names = [f'    "{group}",\n' for group in groups()]
    return _BEFORE + "".join(lines) + _BETWEEN + "".join(names) + ")\n"


def _tuple(names: set[str]) -> str:
    listed = ", ".join(f'"{name}"' for name in sorted(names))
    return f"({listed})" if len(names) > 1 else f"({listed},)"


def main() -> None:
    """Write the file."""
    FILE.write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
