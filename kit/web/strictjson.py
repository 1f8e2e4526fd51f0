"""Strict JSON: refuses what PostgreSQL cannot store and what readers may understand differently.

Pure functions; knows nothing of HTTP.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from kit.errors import Unprocessable
from kit.text import BadText, refuse_unstorable
from kit.web.problems import pointer

DEPTH_LIMIT: Final = 32
"""Nested objects and arrays; PeakDesk's own bodies need 6. Deeper ones are refused."""

VALUES_LIMIT: Final = 20_000
"""Values in one document; walking more would hold the event loop over 10 ms. Refused."""

_Path: TypeAlias = tuple[str | int, ...]
_INTEGER_LIMIT: Final = 2**63
_INTEGER_DIGITS: Final = 20
_TEXT: Final = re.compile(rb'"[^"]*"?')
_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""Escapes that may be a NUL or a lone surrogate; raw ones are no JSON or no UTF-8 anyway."""


class BadJson(Unprocessable):
    """The body is not the JSON we accept."""

    slug, title = "bad_json", "The body is not acceptable JSON"


def loads(body: bytes) -> Any:
    """Return the document. Raises `BadJson`, or `BadText` for text that cannot be stored.

    Refused: other encodings than UTF-8, repeated keys, NaN and infinities, integers outside
    64 bits, depth over `DEPTH_LIMIT`, more than `VALUES_LIMIT` values, NUL, lone surrogates.
    """
    if body.count(b",") > VALUES_LIMIT and _separators(body) > VALUES_LIMIT:
        raise _too_many()
    try:
        document = json.loads(
            body.decode(),
            object_pairs_hook=_unrepeated,
            parse_constant=_no_constant,
            parse_int=_bounded_int,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise BadJson("Encode the body as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"The JSON breaks off or errs at character {error.pos}.") from None
    except RecursionError:
        raise _too_deep() from None
    suspect = _SUSPECT.search(body) is not None
    if isinstance(document, dict | list):
        _walk(document, text=suspect)
    elif suspect and isinstance(document, str):
        _check_texts((), (document,))
    return document


def _separators(body: bytes) -> int:
    """Count commas outside text, unparsed: a megabyte of `[],` takes 400 ms to become lists."""
    bare = body.replace(rb"\\", b"").replace(rb"\"", b"")
    return _TEXT.sub(b"", bare).count(b",")


def _walk(document: Any, *, text: bool) -> None:
    """Measure without recursion: one turn of the loop is one level of nesting."""
    level: list[tuple[_Path, Any]] = [((), document)]
    values = 0
    for _ in range(DEPTH_LIMIT):
        deeper: list[tuple[_Path, Any]] = []
        for path, container in level:
            values += len(container)
            if values > VALUES_LIMIT:
                raise _too_many()
            if text and isinstance(container, dict):
                _check_texts(path, container)
            items = container.items() if isinstance(container, dict) else enumerate(container)
            for name, value in items:
                if isinstance(value, dict | list):
                    deeper.append(((*path, name), value))
                elif text and isinstance(value, str):
                    _check_texts((*path, name), (value,))
        if not deeper:
            return
        level = deeper
    raise _too_deep()


def _check_texts(path: _Path, texts: Iterable[str]) -> None:
    try:
        for text in texts:
            refuse_unstorable(text)
    except BadText as error:
        error.extras["errors"] = [{"pointer": _shown(path), "detail": error.detail}]
        raise


def _shown(path: _Path) -> str:
    """Return the pointer in a form that can be written: its own keys may be what is wrong."""
    return pointer(path).encode("ascii", "backslashreplace").decode().replace("\x00", "\\u0000")


def _too_many() -> BadJson:
    return BadJson(f"The body holds more than {VALUES_LIMIT} values: send less at once.")


def _too_deep() -> BadJson:
    return BadJson(f"The body is nested deeper than {DEPTH_LIMIT} levels: make it flatter.")


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson("A key stands twice in one object: keep one.")
    return found


def _no_constant(_name: str) -> float:
    raise BadJson("NaN and Infinity are no JSON: send a number or null.")


def _bounded_int(digits: str) -> int:
    if len(digits) <= _INTEGER_DIGITS and -_INTEGER_LIMIT <= int(digits) < _INTEGER_LIMIT:
        return int(digits)
    raise BadJson("An integer does not fit 64 bits.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise BadJson("A number is too large.")
    return number
