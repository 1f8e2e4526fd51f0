"""What all tables of the monitor share (schema `monitor`), and those that no room has to itself.

Times are milliseconds since 1970 where they come from the fold, because the fold is exact in them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import ARRAY, BigInteger, DateTime, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from kit import tables

METADATA: Final = tables.metadata("monitor")

OUTBOX: Final = tables.outbox(METADATA)
INBOX: Final = tables.inbox(METADATA)
IDEMPOTENCY: Final = tables.idempotency(METADATA)
AUDIT: Final = tables.audit(METADATA)
TIMERS: Final = tables.timers(METADATA)
POSITIONS: Final = tables.positions(METADATA)
GENERATIONS: Final = tables.generations(METADATA)


class Base(DeclarativeBase):
    """Text is `text`, counts and times are `bigint`, moments carry a time zone."""

    metadata = METADATA
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text()),
        list[dict[str, Any]]: JSONB(),
        dict[str, Any]: JSONB(),
    }


async def many(
    session: AsyncSession,
    statement: Any,
    *,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    **fixed: Any,
) -> None:
    """Execute a statement over rows given as one array per column."""
    if rows:
        values = dict(zip(names, columns(rows), strict=True))
        await session.execute(statement, values | fixed)


def columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """Return one list per column."""
    return [list(column) for column in zip(*rows, strict=True)]
