"""Finds what is written twice: runs of statements that stand alike in two services.

`python -m tools.duplicates [SERVICES]` lists them and exits 1 if there are any. Compared are syntax
trees without comments, docstrings, imports, annotations of arguments and, inside functions, the
words and numbers of constants. Names that a file binds itself, or has from its own service, count
by their order alone, so a copy with other names is a copy. Composition, tables and migrations are
left out: there services are alike on purpose.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Final, TypeAlias

from typing_extensions import override

LIMIT: Final = 12
"""Statements that may stand alike; shorter runs are how a house speaks."""

SERVICES: Final = Path(__file__).resolve().parents[1] / "services"

LEFT_OUT: Final = {"app", "models", "tables", "migrations"}
"""Files and folders that are not compared."""

DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Where(Enum):
    """Where a statement stands."""

    MODULE = auto()
    FIELDS = auto()
    """In a class: names are what others call it by."""
    FUNCTION = auto()


Token: TypeAlias = str | tuple[str]
"""A piece of a tree; a name that counts by its order stands in a tuple."""


@dataclass(frozen=True, order=True)
class Place:
    """A run of lines of a service."""

    service: str
    path: str
    first: int
    last: int

    @override
    def __str__(self) -> str:
        return f"{self.path}:{self.first}-{self.last}"

    def meets(self, other: "Place") -> bool:
        """Tell whether the other begins within this one."""
        return self.path == other.path and self.first <= other.first <= self.last

    def joined(self, other: "Place") -> "Place":
        """Return both as one."""
        return Place(self.service, self.path, self.first, max(self.last, other.last))


@dataclass(frozen=True, order=True)
class Duplicate:
    """Two places that say the same."""

    one: Place
    two: Place

    @override
    def __str__(self) -> str:
        return f"{self.one} is {self.two}"


@dataclass(frozen=True)
class Statement:
    """A statement as it is compared, and how many it is with those inside it."""

    node: ast.stmt
    tokens: tuple[Token, ...]

    @cached_property
    def count(self) -> int:
        """Return how many statements these are."""
        return sum(isinstance(node, ast.stmt) and not silent(node) for node in ast.walk(self.node))

    @property
    def first(self) -> int:
        """The line where it begins, decorators included."""
        decorators = self.node.decorator_list if isinstance(self.node, DEFINITIONS) else []
        return min([self.node.lineno, *(one.lineno for one in decorators)])


def find(services: Path = SERVICES, *, limit: int = LIMIT) -> list[Duplicate]:
    """Return every run of more than `limit` statements that two services share, in order."""
    alike: dict[tuple[str, ...], list[Place]] = defaultdict(list)
    for path in sorted(services.rglob("*.py")):
        inside = path.relative_to(services)
        if LEFT_OUT.isdisjoint((*inside.parts[1:-1], inside.stem)) and len(inside.parts) > 1:
            for run in runs(ast.parse(path.read_text(encoding="utf-8")), limit):
                place = Place(
                    inside.parts[0],
                    inside.as_posix(),
                    run[0].first,
                    run[-1].node.end_lineno or run[-1].node.lineno,
                )
                alike[shape(run)].append(place)
    pairs = (pair for places in alike.values() for pair in combinations(sorted(places), 2))
    return merged(sorted(Duplicate(a, b) for a, b in pairs if a.service != b.service))


def merged(found: Sequence[Duplicate]) -> list[Duplicate]:
    """Return runs that overlap in both places as one."""
    kept: list[Duplicate] = []
    for new in found:
        for index, old in enumerate(kept):
            if old.one.meets(new.one) and old.two.meets(new.two):
                kept[index] = Duplicate(old.one.joined(new.one), old.two.joined(new.two))
                break
        else:
            kept.append(new)
    return kept


def runs(tree: ast.Module, limit: int) -> Iterator[list[Statement]]:
    """Yield from every statement on the shortest run of siblings that is more than `limit`."""
    own = own_names(tree)
    for block, at in blocks(tree, Where.MODULE):
        statements = [
            Statement(one, tuple(tokens(one, own, at))) for one in block if not silent(one)
        ]
        for start in range(len(statements)):
            count = 0
            for end, statement in enumerate(statements[start:], start + 1):
                count += statement.count
                if count > limit:
                    yield statements[start:end]
                    break


def blocks(node: ast.AST, at: Where) -> Iterator[tuple[list[ast.stmt], Where]]:
    """Yield every list of statements in a tree, and where it stands."""
    below = beneath(node, at)
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value, below
    for child in ast.iter_child_nodes(node):
        yield from blocks(child, below)


def silent(statement: ast.stmt) -> bool:
    """Tell whether a statement does nothing by itself: an import, a docstring, `...`, `pass`."""
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def own_names(tree: ast.Module) -> set[str]:
    """Return the names that a file binds itself or has from its own service."""
    own: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                own.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                own.add(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                own.add(name)
            case ast.ImportFrom(module=str(module)) if module.startswith("services."):
                own.update(one.asname or one.name for one in node.names)
            case _:
                pass
    return own


def tokens(node: ast.AST, own: set[str], at: Where) -> Iterator[Token]:
    """Yield what of a tree is compared."""
    yield type(node).__name__
    if isinstance(node, ast.Constant):
        yield kept(node, at)
        return
    name = name_of(node)
    if name is not None:
        verbatim = isinstance(node, ast.Name) and (at is Where.FIELDS or name not in own)
        yield name if verbatim else (name,)
    elif isinstance(node, ast.Attribute):
        yield node.attr.strip("_")
    elif isinstance(node, ast.keyword):
        yield str(node.arg)
    elif isinstance(node, ast.AnnAssign) and at is Where.FIELDS:
        yield from tokens(node.annotation, own, at)
    below = beneath(node, at)
    for child in children(node):
        yield from tokens(child, own, below)
    yield "end"


def name_of(node: ast.AST) -> str | None:
    """Return the name that a node is or binds."""
    match node:
        case ast.Name(id=name) | ast.arg(arg=name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return name
        case _:
            return None


def kept(constant: ast.Constant, at: Where) -> str:
    """Return what is compared of a constant: in a function its kind, elsewhere its content."""
    if at is not Where.FUNCTION or constant.value is None or isinstance(constant.value, bool):
        return repr(constant.value)
    return type(constant.value).__name__


def beneath(node: ast.AST, at: Where) -> Where:
    """Return where the children of a node stand."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return Where.FUNCTION
    if isinstance(node, ast.ClassDef):
        return Where.FIELDS
    return at


def children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children that are compared."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "ctx"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (isinstance(child, ast.stmt) and silent(child)):
                yield child


def shape(run: Sequence[Statement]) -> tuple[str, ...]:
    """Return what two runs share if they are alike: own names are numbered as they come."""
    numbers: dict[str, str] = {}
    return tuple(
        numbers.setdefault(token[0], f"#{len(numbers)}") if isinstance(token, tuple) else token
        for statement in run
        for token in statement.tokens
    )


def main() -> None:
    """List what is written twice, and exit 1 if anything is."""
    found = find(Path(sys.argv[1]) if sys.argv[1:] else SERVICES)
    print("\n".join(map(str, found)) or "Nothing is written twice.")  # noqa: T201 - the answer
    raise SystemExit(int(bool(found)))


if __name__ == "__main__":
    main()
