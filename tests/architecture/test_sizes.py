"""Files, classes and functions are small enough to be read in one go; an exception has a reason."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "contracts",
    "kit",
    "profiles",
    "reception",
    "wording",
    "services",
    "launcher",
    "rehearsal",
    "player",
    "tools",
    "tests",
)
PARTS = ("contracts", "kit", "profiles", "reception", "wording", "services")
"""Where classes are held to their size: what runs in production, so what is read at night."""

FILE_LINES = 400
CLASS_LINES = 200
FUNCTION_LINES = 50

LARGE_FILES: dict[str, str] = {}
"""Path -> why it may pass FILE_LINES."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Path::name -> why it may pass FUNCTION_LINES."""


@dataclass(frozen=True)
class Source:
    """What is asked of a file: its lines, those of each function by `path::name`, a docstring."""

    lines: int
    functions: Mapping[str, int]
    has_docstring: bool

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read and parse a file."""
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        functions: dict[str, int] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                address = f"{relative(path)}::{node.name}"
                lines = (node.end_lineno or 0) - node.lineno + 1
                functions[address] = max(lines, functions.get(address, 0))
        return cls(len(text.splitlines()), functions, bool(ast.get_docstring(tree)))


@cache
def sources() -> Mapping[str, Source]:
    """Return every Python file of ours by its path, but for migrations, which are history."""
    paths = (path for folder in FOLDERS for path in sorted((CHECKOUT / folder).rglob("*.py")))
    return {relative(path): Source.read(path) for path in paths if "versions" not in path.parts}


def functions() -> dict[str, int]:
    """Return the lines of every function by its address."""
    return {name: lines for one in sources().values() for name, lines in one.functions.items()}


def relative(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def test_no_file_is_longer_than_it_may_be() -> None:
    long = {path: one.lines for path, one in sources().items() if one.lines > FILE_LINES}
    assert long.keys() <= LARGE_FILES.keys(), f"split these, or give the reason: {long}"


def test_no_function_is_longer_than_it_may_be() -> None:
    long = {name: lines for name, lines in functions().items() if lines > FUNCTION_LINES}
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
    assert functions().keys() >= LONG_FUNCTIONS.keys()
    assert sources().keys() >= LARGE_FILES.keys()


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path, one in sources().items() if not one.has_docstring]
    assert not silent, f"open these with a docstring of one to three sentences: {silent}"


def test_no_file_name_says_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    found = [path for path in sources() if Path(path).stem in empty_words]
    assert not found, f"name these after what they hold: {found}"
