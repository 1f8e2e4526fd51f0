"""Files, classes and functions are small enough to be read in one go; an exception has a reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("contracts", "kit", "wording", "services", "launcher", "rehearsal", "tools", "tests")
PARTS = ("contracts", "kit", "wording", "services")
"""Where classes are held to their size: what runs in production, so what is read at night."""

FILE_LINES = 400
CLASS_LINES = 200
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


def long_classes(source: str) -> dict[str, int]:
    """Return the classes of a source that are longer than they may be, with their lines."""
    return {
        node.name: lines
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > CLASS_LINES
    }


@pytest.mark.parametrize("part", PARTS)
def test_no_class_is_longer_than_it_may_be(part: str) -> None:
    long = {
        relative(path): found
        for path in sorted((CHECKOUT / part).rglob("*.py"))
        if (found := long_classes(path.read_text(encoding="utf-8")))
    }
    assert not long, f"split these by what they are about: {long}"


def test_a_planted_class_is_caught_by_its_lines_wherever_it_stands() -> None:
    body = "\n".join(f"    field_{number} = {number}" for number in range(CLASS_LINES - 1))
    longest = f"class Longest:\n{body}\n"
    assert long_classes(longest) == {}
    assert long_classes(f"@final\n{longest}    last = 0\n") == {"Longest": CLASS_LINES + 1}
    inside = "".join(f"    {line}\n" for line in f"{longest}    last = 0".splitlines())
    assert "Longest" in long_classes(f"def made():\n{inside}    return Longest\n")


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
