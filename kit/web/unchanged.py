"""Asking again for what one has: a digest of the answer as a strong ETag, and `If-None-Match`.

Knows bytes and headers. Versions of rows, and `If-Match`, are in `kit.web.preconditions`.
"""

import hashlib


def etag_of(body: bytes) -> str:
    """Return the `ETag` header value of these bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def has(if_none_match: str, etag: str) -> bool:
    """Tell whether the caller has this version: it is listed, weak or strong, or any will do."""
    listed = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return etag in listed or listed == {"*"}
