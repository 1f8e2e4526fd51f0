"""Lists what row-level security does not hold back: tables without policy, calls across shops.

`python -m tools.pages` writes the page, and a test compares it. Both are read from the sources: a
table's reason stands in its `info`, a call's in its one argument.
"""

import ast
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from unittest import mock

from sqlalchemy import MetaData

from kit import row_security, tables
from launcher.postgres.roles import DATABASE_SERVICES

CHECKOUT: Final = Path(__file__).resolve().parents[1]

ACROSS: Final = {"read_across", "write_across"}

HEAD: Final = """\
# The second wall

Row-level security shows a transaction the rows of the shop that it named.
[adr/0030-a-second-wall.md](adr/0030-a-second-wall.md) says why; this page is what it does not hold back.
It is written by `python -m tools.pages`; a test compares it.
"""  # noqa: E501 - a line of the page is a sentence

TABLES: Final = """
## Tables without a policy

Every other table has one: by its shop, or by the row of another table that it belongs to.

| service | table | why |
|---|---|---|
"""

CALLS: Final = """
## Across shops

Every other transaction names one shop.

| who | how | why |
|---|---|---|
"""


class Call(NamedTuple):
    """A call of `read_across` or `write_across`: in which function, and for which reason."""

    place: str
    name: str
    reason: str


def metadata_of(service: str) -> MetaData:
    """Return the metadata of a service's tables, as its migrations know it."""
    env = CHECKOUT / "services" / service / "migrations" / "env.py"
    with mock.patch.object(tables, "run_migrations") as told:
        runpy.run_path(str(env))
    (metadata,) = told.call_args.args
    assert isinstance(metadata, MetaData)
    return metadata


def calls(module: str, source: str) -> Iterator[Call]:
    """Yield a module's calls across shops, in the order of the file."""
    tree = ast.parse(source)
    constants = {
        ast.unparse(target): value
        for node in tree.body
        for target, value in _bound(node)
        if isinstance(value, ast.Constant)
    }
    yield from _calls_in(tree, module, constants)


def all_calls() -> list[Call]:
    """Return every call of kit and of the services, in the order of their files."""
    paths = sorted(path for part in ("kit", "services") for path in (CHECKOUT / part).rglob("*.py"))
    return [
        call
        for path in paths
        for call in calls(
            ".".join(path.relative_to(CHECKOUT).with_suffix("").parts),
            path.read_text(encoding="utf-8"),
        )
    ]


def page() -> str:
    """Return docs/second-wall.md."""
    exempt = [
        f"| {service} | `{name}` | {reason} |\n"
        for service in DATABASE_SERVICES
        for name, reason in row_security.exemptions(metadata_of(service)).items()
    ]
    across = [f"| `{call.place}` | {call.name} | {call.reason} |\n" for call in all_calls()]
    return "".join([HEAD, TABLES, *exempt, CALLS, *across])


def _bound(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign(target=target, value=value):
            yield target, value
        case _:
            pass


def _calls_in(node: ast.AST, place: str, constants: dict[str, ast.Constant]) -> Iterator[Call]:
    for child in ast.iter_child_nodes(node):
        within = place
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            within = f"{place}.{child.name}"
        match child:
            case ast.Call(func=ast.Attribute(attr=name)) if name in ACROSS:
                (reason,) = (*child.args, *(keyword.value for keyword in child.keywords))
                told = constants.get(ast.unparse(reason), reason)
                words = told.value if isinstance(told, ast.Constant) else ast.unparse(told)
                yield Call(within, name, str(words))
            case _:
                pass
        yield from _calls_in(child, within, constants)
