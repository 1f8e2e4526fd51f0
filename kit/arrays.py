"""Columns of a batch, written as PostgreSQL writes arrays.

A driver that is given a list looks at each element several times before it writes it; a text it
writes as it is. Knows no statement: cast such a text to the array's type there.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

_encode: Final = msgspec.json.Encoder().encode


def literal(column: Sequence[str | None] | Sequence[int | None] | Sequence[datetime]) -> str:
    """Return the column as the text of an array; None becomes null. Moments carry a zone."""
    # A JSON array of scalars is one of PostgreSQL's but for its brackets and what it escapes.
    document = _encode(column)[1:-1].decode()
    if "\\" in document:
        document = ",".join("null" if one is None else _quoted(str(one)) for one in column)
    return f"{{{document}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
