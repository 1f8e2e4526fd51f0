"""Pages: opaque signed cursors, so that a client can only continue a list that it was given.

Knows nothing of what is listed. A cursor holds the place after the last item, never an offset.
`page` is how every list is read: one row more than is shown tells whether it goes on.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic, Protocol, TypeVar

from fastapi import Query
from pydantic import BaseModel, SecretStr

from kit.errors import Unprocessable

PAGE_LIMIT: Final = 200
PAGE_DEFAULT: Final = 50

CURSOR_LIMIT: Final = 1_024
"""Characters of a cursor; a longer one is refused unread."""

_TAG_BYTES: Final = 16

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")

Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="Items on the page")]
"""A route's `limit` parameter; give it the default `PAGE_DEFAULT`."""

CursorText = Annotated[
    str | None, Query(max_length=CURSOR_LIMIT, description="`next_cursor` of the page before")
]
"""A route's `cursor` parameter; give it the default None."""


class BadCursor(Unprocessable):
    """The cursor was not made for this list by this service."""

    slug, title = "bad_cursor", "The cursor is not valid: start from the first page"


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None


class Cursors:
    """Signs places in lists. A cursor of one shop, or of one list, is none of another."""

    def __init__(self, secret: SecretStr) -> None:
        self._key = secret.get_secret_value().encode()

    def encode(self, place: dict[str, Any], shop_id: str, *, list_name: str = "") -> str:
        """Return the cursor that continues `list_name` of the shop after `place`."""
        body = json.dumps(place, separators=(",", ":")).encode()
        tag = self._tag(body, shop_id, list_name)
        return base64.urlsafe_b64encode(tag + body).decode().rstrip("=")

    def decode(self, cursor: str, shop_id: str, *, list_name: str = "") -> dict[str, Any]:
        """Return the place. Raises `BadCursor` for anything `encode` did not make for this list."""
        if len(cursor) > CURSOR_LIMIT or not cursor.isascii():
            raise BadCursor
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise BadCursor from None
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(body, shop_id, list_name)):
            raise BadCursor
        place: dict[str, Any] = json.loads(body)
        return place

    def _tag(self, body: bytes, shop_id: str, list_name: str) -> bytes:
        scope = json.dumps(["peakdesk.cursor", shop_id, list_name]).encode()
        return hmac.digest(self._key, scope + b"\n" + body, "sha256")[:_TAG_BYTES]


class Identified(Protocol):
    """A row that its id tells from every other."""

    @property
    def id(self) -> str: ...


K = TypeVar("K", bound=Identified)


@dataclass(frozen=True)
class Order(Generic[R, P]):
    """What a list goes by: what a cursor keeps of a row, and the place that it stands for."""

    keep: Callable[[R], dict[str, Any]]
    place: Callable[[Mapping[str, Any]], P]
    """May raise KeyError, TypeError or ValueError: the cursor is then none of this list."""


def by_id(field: str) -> Order[K, str]:
    """Order by the id, which the cursor keeps as `field`."""
    return Order(lambda row: {field: row.id}, lambda kept: _text(kept, field))


def by_time(moment: Callable[[K], datetime]) -> Order[K, tuple[datetime, str]]:
    """Order by a time of the row, and by its id where times are the same."""
    return Order(
        lambda row: {"at": moment(row).isoformat(), "id": row.id},
        lambda kept: (datetime.fromisoformat(_text(kept, "at")), _text(kept, "id")),
    )


class Paged(Protocol):
    """Says which page of a list is asked for, whatever else it says."""

    @property
    def limit(self) -> int: ...
    @property
    def cursor(self) -> str | None: ...


@dataclass(frozen=True)
class Paging:
    """Which page of a list: at most `limit` items, from the start or from `cursor` on."""

    limit: int
    cursor: str | None = None


@dataclass(frozen=True)
class PageQuery(Generic[R, P]):
    """What a page takes: read at most `limit` rows after the place `after`, then cut."""

    after: P | None
    limit: int
    """One more than the page shows."""
    _next: Callable[[R], str]

    def cut(self, rows: Sequence[R]) -> tuple[Sequence[R], str | None]:
        """Return the rows that the page shows, and the cursor of the next page if there is one."""
        if len(rows) < self.limit:
            return rows, None
        shown = rows[: self.limit - 1]
        return shown, self._next(shown[-1])

    def show(self, rows: Sequence[R], item: Callable[[R], T]) -> Page[T]:
        """Return the page of the rows that were read."""
        shown, next_cursor = self.cut(rows)
        return Page(items=[item(row) for row in shown], next_cursor=next_cursor)


def page(
    cursors: Cursors, wanted: Paged, *, by: Order[R, P], shop_id: str, list_name: str
) -> PageQuery[R, P]:
    """Return what to read for a page of a shop's list. Raises `BadCursor`."""
    after = None
    if wanted.cursor is not None:
        kept = cursors.decode(wanted.cursor, shop_id, list_name=list_name)
        try:
            after = by.place(kept)
        except (KeyError, TypeError, ValueError):
            raise BadCursor from None
    return PageQuery(
        after,
        wanted.limit + 1,
        lambda row: cursors.encode(by.keep(row), shop_id, list_name=list_name),
    )


def _text(kept: Mapping[str, Any], field: str) -> str:
    value = kept[field]
    if not isinstance(value, str):
        raise TypeError(field)
    return value
