"""Identifiers use the field's words: none of the ones that this house used to make up.

Read are names of classes, functions, arguments, attributes and what is assigned to. Many of the
words are also English, or words of a shop; so prose is read by people.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.unit

CHECKOUT: Final = Path(__file__).resolve().parents[2]
PARTS: Final = ("contracts", "kit", "profiles", "reception", "wording", "services")

SAY_INSTEAD: Final = {
    "Passports": "Authenticator",
    "Doors": "ConnectionLimits",
    "Doorkeepers": "LoginLimits",
    "Upgrades": "Handshake",
    "Terms": "Limits",
    "Caps": "QueueLimits",
    "Reception": "FrameDispatcher",
    "Sweep": "Reaper, or what is swept",
    "Collector": "Batcher",
    "Settler": "RetryPolicy",
    "culprit": "the offending record",
    "Later": "Deferred",
    "Slot": "StoredResponse",
    "Forgetting": "Retention",
    "SecondLook": "ArchivedRow",
    "Words": "ParsedSend",
    "Said": "Body",
    "Judged": "GateInput, or what was scored",
    "Held": "Blocked",
    "Landed": "Acked",
    "Recent": "DedupWindow",
    "put_off": "defer",
    "put_back": "requeue",
    "go_on": "resume",
    "who": "principal",
    "caller": "principal",
    "wish": "command or query",
    "strangers": "unauthenticated",
    "Desk": "the dependency's own name",
    "Shared": "the dependency's own name",
    "Readers": "the dependency's own name",
}


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what a file names: classes, functions, arguments, attributes, variables; with lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.lineno
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target)


def _assigned(target: ast.expr) -> Iterator[tuple[str, int]]:
    """Yield the variables of an assignment's left side; its attributes are read by themselves."""
    if isinstance(target, ast.Name):
        yield target.id, target.lineno
    elif isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _assigned(part)


def found(source: str) -> list[str]:
    """Return a sentence for each word that is not the field's."""
    return [
        f"line {line}: {name}: say {SAY_INSTEAD[name.strip('_')]}"
        for name, line in identifiers(ast.parse(source))
        if name.strip("_") in SAY_INSTEAD
    ]


@pytest.mark.parametrize("part", PARTS)
def test_identifiers_are_the_fields_words(part: str) -> None:
    wrong = {
        str(path.relative_to(CHECKOUT)): sentences
        for path in sorted((CHECKOUT / part).rglob("*.py"))
        if (sentences := found(path.read_text()))
    }

    assert wrong == {}


@pytest.mark.parametrize(
    "source",
    [
        "class Doors: ...",
        "def put_off(): ...",
        "def f(who): ...",
        "x._strangers = 1",
        "class A:\n    caller: str\n",
        "Desk = Annotated[Principal, Depends(require())]",
        "who, (gap, rest) = key.split()",
    ],
)
def test_a_planted_word_is_caught(source: str) -> None:
    assert len(found(source)) == 1


def test_words_in_strings_and_docstrings_are_left_to_readers() -> None:
    assert found('"""Who calls: the caller."""\nlog.info("who", caller_id=1)\n') == []
