"""JSON as strict as the platform needs: what PostgreSQL cannot store or readers may disagree on is refused.

Pure functions; knows nothing of HTTP.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final

from kit.errors import Unprocessable
from kit.text import BadText, refuse_unstorable
from kit.web.problems import pointer

DEPTH_LIMIT: Final = 32
"""Nested objects and arrays; PeakDesk's own bodies need 6. Deeper ones are refused."""

VALUES_LIMIT: Final = 20_000
"""Values in one document; walking more would hold the event loop over 10 ms. Refused."""

_INTEGER_LIMIT: Final = 2**63
_INTEGER_DIGITS: Final = 20
_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89abAB])")
"""Escapes that may be a NUL or a lone surrogate; raw ones are no JSON or no UTF-8 anyway."""


class BadJson(Unprocessable):
    """The body is not the JSON we accept."""

    slug, title = "bad_json", "The body is not acceptable JSON"


def loads(body: bytes) -> Any:
    """Return the document. Raises `BadJson`, or `BadText` for text that cannot be stored.

    Refused: other encodings than UTF-8, repeated keys, NaN and infinities, integers outside
    64 bits, depth over `DEPTH_LIMIT`, more than `VALUES_LIMIT` values, NUL, lone surrogates.
    """
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
    _walk(document, text=_SUSPECT.search(body) is not None)
    return document


def _walk(document: Any, *, text: bool) -> None:
    """Measure without recursion: every level is one list."""
    level: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    seen = 0
    for _ in range(DEPTH_LIMIT + 1):
        following: list[tuple[tuple[str | int, ...], Any]] = []
        for path, value in level:
            if isinstance(value, dict):
                following += [((*path, key), inner) for key, inner in value.items()]
                if text:
                    _storable(path, value)
            elif isinstance(value, list):
                following += [((*path, index), inner) for index, inner in enumerate(value)]
            elif text and isinstance(value, str):
                _storable(path, (value,))
            if len(following) + seen > VALUES_LIMIT:
                raise BadJson(f"The body holds more than {VALUES_LIMIT} values: send less at once.")
        if not following:
            return
        seen += len(following)
        level = following
    raise _too_deep()


def _storable(path: Sequence[str | int], texts: Sequence[str] | dict[str, Any]) -> None:
    try:
        for text in texts:
            refuse_unstorable(text)
    except BadText as error:
        error.extras["errors"] = [{"pointer": _shown(path), "detail": error.detail}]
        raise


def _shown(path: Sequence[str | int]) -> str:
    """Return the pointer in a form that can be written: its own keys may be what is wrong."""
    return pointer(path).encode("ascii", "backslashreplace").decode().replace("\x00", "\\u0000")


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
