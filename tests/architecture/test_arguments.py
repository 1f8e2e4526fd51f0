"""More than three arguments in a row are told apart by nobody: the others go by name.

Not counted are what every such function begins with (`self`, the database's `session`) and what a
caller of another house hands in (`_pid`); an `@override` follows what it overrides.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES: Final = (
    "contracts",
    "kit",
    "wording",
    "services",
    "launcher",
    "rehearsal",
    "player",
    "tools",
)

MOST: Final = 3

PLANTED: Final = (
    "def f(a, b, c, d): ...",
    "async def f(session, a, b, c, d, *, e): ...",
    "def f(a, b, /, c, d=1): ...",
    "class A:\n    def f(self, a, b, c, d): ...",
    "class A:\n    @staticmethod\n    def f(a, b, c, d): ...",
    "def f():\n    def g(a, b, c, d): ...\n    return g",
)
KEPT: Final = (
    "def f(a, b, c, *, d, e): ...",
    "async def f(session, a, b, c): ...",
    "def f(a, b, c, *rest, **named): ...",
    "class A:\n    def f(self, a, b, c): ...",
    "class A:\n    @classmethod\n    def f(cls, a, b, c): ...",
    "class A:\n    @override\n    def f(self, a, b, c, d): ...",
    "def told(_connection, _pid, _channel, a): ...",
)


def crowded(source: str) -> Iterator[str]:
    """Yield the functions of a source that take more by position than may be."""
    tree = ast.parse(source)
    methods = {
        member for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for member in node.body
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        marks = {ast.unparse(mark) for mark in node.decorator_list}
        names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
        names = names[node in methods and "staticmethod" not in marks :]
        names = names[names[:1] == ["session"] :]
        counted = [name for name in names if not name.startswith("_")]
        if len(counted) > MOST and "override" not in marks:
            yield f"{node.lineno}: {node.name}({', '.join(counted)})"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_function_takes_three_arguments_by_position_at_most(package: str) -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}:{complaint}"
        for path in sorted((CHECKOUT / package).rglob("*.py"))
        for complaint in crowded(path.read_text(encoding="utf-8"))
    ]

    assert not found, "put `*` before the fourth:\n" + "\n".join(found)


@pytest.mark.parametrize("source", PLANTED)
def test_what_is_planted_is_found(source: str) -> None:
    assert len(list(crowded(source))) == 1


@pytest.mark.parametrize("source", KEPT)
def test_what_is_written_as_it_should_be_is_left_alone(source: str) -> None:
    assert list(crowded(source)) == []
