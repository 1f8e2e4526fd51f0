"""Every connection of a service says that it is of a release that names its shop.

What moves a cluster to owners refuses while a service of the release before is connected, and tells
them apart by the name of the connection.
"""

import ast
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.unit

CHECKOUT: Final = Path(__file__).resolve().parents[2]
OURS: Final = "peakdesk/"


def names(source: str) -> list[str]:
    """Return how each `Database(...)` of a source names its connections; "" where it does not."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "Database"):
            continue
        given = {one.arg: one.value for one in node.keywords}
        found.append("" if "name" not in given else ast.unparse(given["name"]).strip("f'\""))
    return found


def test_each_database_of_a_service_is_named_as_this_release_names_them() -> None:
    sources = [*(CHECKOUT / "services").rglob("*.py"), *(CHECKOUT / "kit").rglob("*.py")]
    wrong = [
        (str(path.relative_to(CHECKOUT)), name)
        for path in sources
        for name in names(path.read_text())
        if not name.startswith(OURS)
    ]

    assert wrong == []


def test_one_without_a_name_or_with_the_old_one_is_found() -> None:
    assert names("Database(dsn, schema='x')") == [""]
    assert names("Database(dsn, name=f'peakdesk-{NAME}')") == ["peakdesk-{NAME}"]
