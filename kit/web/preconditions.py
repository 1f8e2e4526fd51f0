"""Optimistic concurrency over HTTP: the row version as a strong ETag, `If-Match` as a duty.

Knows versions only; what is versioned is the route's business.
"""

import re
from typing import Annotated, Final

from fastapi import Depends, Header

from kit.errors import PreconditionFailed, PreconditionRequired

_STRONG: Final = re.compile(r'"(0|[1-9][0-9]{0,17})"')


def etag(version: int) -> str:
    """Return the `ETag` header value of a row version."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int:
    """Return the version that the caller acts on.

    Raises `PreconditionRequired` when it is absent or `*`, `PreconditionFailed` when it is weak,
    a list, or anything else that cannot be one of our tags.
    """
    if if_match is None or if_match.strip() == "*":
        raise PreconditionRequired("Send If-Match with the ETag that you read.")
    found = _STRONG.fullmatch(if_match.strip())
    if found is None:
        raise PreconditionFailed("Send exactly one strong ETag, as it was given to you.")
    return int(found[1])


def ensure_version(expected: int | None, actual: int) -> None:
    """Raise `PreconditionFailed` if the caller acts on another version than the one stored."""
    if expected is not None and expected != actual:
        raise PreconditionFailed("Read it again and decide anew.", current=etag(actual))


async def _if_match(if_match: Annotated[str | None, Header()] = None) -> int:
    return version_of(if_match)


IfMatch = Annotated[int, Depends(_if_match)]
"""A parameter of a route: the version in the request's `If-Match`."""


async def _if_match_given(if_match: Annotated[str | None, Header()] = None) -> int | None:
    return None if if_match is None else version_of(if_match)


IfMatchGiven = Annotated[int | None, Depends(_if_match_given)]
"""The same where older clients name no version: of those the last to write wins."""
