"""Files and functions stay small enough to be read in one go; each exception has its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("contracts", "kit", "wording", "services", "launcher", "rehearsal", "tools", "tests")
FILE_LINES = 400
FUNCTION_LINES = 50

LARGE_FILES: dict[str, str] = {}
"""Path -> why it may pass FILE_LINES."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Path::name -> why it may pass FUNCTION_LINES."""


def sources() -> Iterator[Path]:
    """Yield every Python file of ours, but for migrations, which are history."""
    for folder in FOLDERS:
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            if "versions" not in path.parts:
                yield path


def relative(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield each function of a file with its address, `path::name`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{relative(path)}::{node.name}", node


def test_no_file_is_longer_than_it_may_be() -> None:
    long = {
        relative(path): lines
        for path in sources()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES
    }
    assert long.keys() <= LARGE_FILES.keys(), f"split these, or give the reason: {long}"


def test_no_function_is_longer_than_it_may_be() -> None:
    long = {
        address: lines
        for path in sources()
        for address, node in functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    }
    assert long.keys() <= LONG_FUNCTIONS.keys(), f"split these, or give the reason: {long}"


def test_every_exception_is_still_needed() -> None:
    addresses = {address for path in sources() for address, _ in functions(path)}
    assert addresses >= LONG_FUNCTIONS.keys()
    assert {relative(path) for path in sources()} >= LARGE_FILES.keys()


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        relative(path)
        for path in sources()
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent, f"open these with a docstring of one to three sentences: {silent}"


def test_no_file_name_says_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    found = [relative(path) for path in sources() if path.stem in empty_words]
    assert not found, f"name these after what they hold: {found}"
