"""Rows of books: which one is in force from an offset on, and which was begun last (H32)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitor.fold.measures import BookSpan

GONE_S: Final = 15
"""A book with which no monitor was alive for so long may be followed by an earlier one."""


async def book_spans(session: AsyncSession, mine: Mapping[str, Any]) -> list[BookSpan]:
    """Return which books were in force in a generation's partition, ascending."""
    return [BookSpan(*row) for row in await session.execute(_SPANS, mine)]


async def begin_span(
    session: AsyncSession, span: BookSpan, *, generation: int, partition: int
) -> None:
    """Note that a book is in force from an offset on."""
    await session.execute(
        _BEGIN,
        {
            "generation": generation,
            "partition": partition,
            "first": span.first_offset,
            "fingerprint": span.fingerprint,
            "readings": list(span.readings),
            "digests": json.dumps(dict(span.digests)),
        },
    )


async def is_newest(session: AsyncSession, fingerprint: str) -> bool:
    """Tell whether a book is the newest begun, and that it is alive; a new one begins here.

    One that was begun before others begins again once the newest is gone for `GONE_S`.
    """
    await session.execute(_LOCK)
    newest = (await session.execute(_NEWEST, {"gone": GONE_S})).one_or_none()
    known = (await session.execute(_KNOWN, {"fingerprint": fingerprint})).scalar()
    begun, name, gone = newest or (0, None, True)
    if name != fingerprint and known is not None and not gone:
        return False
    if name != fingerprint:
        begun += 1
    await session.execute(_ALIVE, {"fingerprint": fingerprint, "begun": begun})
    return True


_SPANS: Final = text(
    """
    select first_offset, fingerprint, readings, digests from book_spans
    where generation = :generation and partition = :partition order by first_offset
    """
)
_BEGIN: Final = text(
    """
    insert into book_spans (generation, partition, first_offset, fingerprint, readings, digests)
    values (:generation, :partition, :first, :fingerprint, cast(:readings as text[]),
        cast(:digests as jsonb))
    on conflict (generation, partition, first_offset) do update set
        fingerprint = excluded.fingerprint, readings = excluded.readings,
        digests = excluded.digests
    """
)
_LOCK: Final = text("select pg_advisory_xact_lock(hashtext('monitor.books'))")
_NEWEST: Final = text(
    """
    select begun, fingerprint, seen_at < now() - make_interval(secs => :gone) from books
    order by begun desc limit 1
    """
)
_KNOWN: Final = text("select begun from books where fingerprint = :fingerprint")
_ALIVE: Final = text(
    """
    insert into books (fingerprint, begun, seen_at) values (:fingerprint, :begun, now())
    on conflict (fingerprint) do update set begun = excluded.begun, seen_at = excluded.seen_at
    """
)
