"""Writes the gateway's map of public paths to services, from the routes that services register.

`python -m tools.heads` writes the file anew. The gateway imports no service and asks none: it reads
the file, and a test compares it with the routes.
"""

import importlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from fastapi.routing import APIRoute

SERVICES: Final = ("conversation", "orders", "aftersales", "monitor")
FILE: Final = Path(__file__).resolve().parents[1] / "services/gateway/rest/heads.py"

_BEFORE: Final = '''"""Which service answers a public path: `python -m tools.heads` wrote it."""

from collections.abc import Mapping
from typing import Final

HEADS: Final[Mapping[str, str]] = {
'''
_AFTER: Final = '''}
"""First segment after /v1, or the first two where services share one, and the service."""
'''


def routes() -> Iterator[tuple[str, str]]:
    """Yield each service and public path, as the service registers it when it is built."""
    for name in SERVICES:
        app = importlib.import_module(f"services.{name}.app")
        for router in app.build(app.Settings()).routers:
            for route in router.routes:
                if isinstance(route, APIRoute):
                    yield name, route.path


def heads() -> Mapping[str, str]:
    """Return the service of each head. Raises `ValueError` where two services share one."""
    paths = [(name, path.split("/")[2:]) for name, path in routes()]
    shared: defaultdict[str, set[str]] = defaultdict(set)
    for name, segments in paths:
        shared[segments[0]].add(name)
    found: dict[str, str] = {}
    for name, segments in paths:
        head = segments[0] if len(shared[segments[0]]) == 1 else "/".join(segments[:2])
        if found.setdefault(head, name) != name:
            raise ValueError(f"/v1/{head} is answered by {found[head]} and by {name}")
    return dict(sorted(found.items()))


def written() -> str:
    """Return the file as it should stand."""
    lines = [f'    "{head}": "{name}",\n' for head, name in heads().items()]
    return _BEFORE + "".join(lines) + _AFTER


def main() -> None:
    """Write the file."""
    FILE.write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
