"""Refuses query parameters that a route does not know: a mistyped filter would show everything.

Knows what the application says of itself in its OpenAPI document; must not know any route.
"""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from kit.text import clip

NAME_LIMIT: Final = 80
"""Characters of an unknown parameter's name that the refusal repeats."""

_READING: Final = frozenset({"GET", "HEAD"})
"""Only these: a webhook's sender may add to the address what its own bookkeeping needs."""


async def refuse_unknown(request: Request) -> None:
    """Dependency of whole applications: answer 422 that names what the route does not know.

    Routes outside the document describe nothing, so nothing is unknown to them.
    """
    if request.method not in _READING or not request.query_params:
        return
    known = _known(request.app.openapi(), request.scope["route"].name)
    if known is None:
        return
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        raise RequestValidationError([_fault(name, known) for name in unknown])


def _known(document: dict[str, Any], operation_id: str) -> frozenset[str] | None:
    for path in document["paths"].values():
        operation = path.get("get", {})
        if operation.get("operationId") == operation_id:
            described = operation.get("parameters", ())
            return frozenset(one["name"] for one in described if one["in"] == "query")
    return None


def _fault(name: str, known: Iterable[str]) -> dict[str, Any]:
    names = ", ".join(sorted(known)) or "none"
    return {
        "type": "extra_forbidden",
        "loc": ("query", clip(name, NAME_LIMIT)),
        "msg": f"This route knows no such parameter, but: {names}",
    }
