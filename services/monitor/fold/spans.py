"""Rows of books: which one is in force from an offset on, and which was begun last (H32)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.monitor.fold.measures import BookSpan

GONE_S: Final = 15
"""A book of which no monitor gave a sign for so long may be followed by an earlier one."""

UNSEEN_S: Final = 6.0
"""Longest pause between two looks that still follow one another."""


@dataclass(slots=True)
class Sight:
    """What one monitor saw of the newest book, look by look.

    How old the last sign is says nothing: while PostgreSQL is away nobody can give one, and then
    whoever looks first would win.
    """

    _sign: tuple[str, datetime] | None = None
    _since_s: float = 0.0
    _looked_s: float = 0.0

    def is_gone(self, sign: tuple[str, datetime], *, at_s: float) -> bool:
        """Take a look in; tell whether there was no new sign in every look over `GONE_S`."""
        if sign != self._sign or at_s - self._looked_s > UNSEEN_S:
            self._sign, self._since_s = sign, at_s
        self._looked_s = at_s
        return at_s - self._since_s >= GONE_S

    def lost(self) -> None:
        """Begin anew: a look failed."""
        self._sign = None


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


async def is_newest(
    session: AsyncSession, fingerprint: str, *, sight: Sight, at_s: float, starts: bool
) -> bool:
    """Tell whether a book is the newest begun, and that it is alive; a new one begins here.

    One that was begun before others stands aside, with a sign of life. It begins again once it has
    seen the newest be gone; or as its process `starts`, if it gave no sign for so long while the
    newest did: then it has been deployed anew, as after a release was taken back. One that was
    frozen for as long was not. `at_s` is the monotonic time of this look.
    """
    await session.execute(_LOCK)
    newest = (await session.execute(_NEWEST)).one_or_none()
    known = (await session.execute(_KNOWN, {"fingerprint": fingerprint})).scalar()
    begun, name = (0, "") if newest is None else newest[:2]
    if newest is not None and name != fingerprint:
        gone = sight.is_gone((name, newest.seen_at), at_s=at_s)
        returns = (
            starts and known is not None and newest.seen_at - known >= timedelta(seconds=GONE_S)
        )
        if known is not None and not (gone or returns):
            await session.execute(_ASIDE, {"fingerprint": fingerprint})
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
    select begun, fingerprint, seen_at from books order by begun desc limit 1
    """
)
_KNOWN: Final = text("select seen_at from books where fingerprint = :fingerprint")
_ASIDE: Final = text("update books set seen_at = now() where fingerprint = :fingerprint")
_ALIVE: Final = text(
    """
    insert into books (fingerprint, begun, seen_at) values (:fingerprint, :begun, now())
    on conflict (fingerprint) do update set begun = excluded.begun, seen_at = excluded.seen_at
    """
)
