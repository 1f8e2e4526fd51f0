"""Pages: opaque signed cursors, so that a client can only continue a list that it was given.

Knows nothing of what is listed. A cursor holds the place after the last item, never an offset.
"""

import base64
import binascii
import hmac
import json
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, SecretStr

from kit.errors import Unprocessable

PAGE_LIMIT: Final = 200
PAGE_DEFAULT: Final = 50

CURSOR_LIMIT: Final = 1_024
"""Characters of a cursor; a longer one is refused unread."""

_TAG_BYTES: Final = 16

T = TypeVar("T")

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
