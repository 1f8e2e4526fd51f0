"""Timers: rows that fall due, each fired once, whoever sweeps and whatever dies meanwhile (B53).

A use case starts and cancels timers in the transaction of what they wait for. The sweep reads what
is due without locking it; the use case that it calls locks the subject, as every command does, and
only then takes the timer. No row: it was cancelled, or fired elsewhere, and nothing is to do. So
sweep and command take their locks in one order and never wait for one another in a circle.

Times are the database's, which is one clock for all processes of a service (P14). Knows no subject.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kit.clock import Clock
from kit.errors import Unavailable
from kit.leases import Leases
from kit.metrics import Metrics
from kit.periodic import Periodic
from kit.postgres import Database, DatabaseAway

log = structlog.get_logger()

EVERY_S: Final = 0.5
"""Pause between two sweeps: how late a timer fires on a quiet day."""

READ: Final = 500
"""Timers of one kind that are read at once; of a backlog the other kinds get their turn then."""

BATCH: Final = 100
"""Timers of one shop that are fired in one transaction."""

GRACE_S: Final = 15.0
"""What the holder of the lease has left lying for so long, any other process fires: it may be
frozen, with its lease. Firing needs no lease to be right, only to be cheap."""

BUSY_MOST: Final = 3
"""So many shops whose use case meets trouble are borne with in one look at a kind: each may have
waited for seconds. The rest of it waits for the next sweep, which begins with the others."""

LEASE: Final = "timers"

Fire: TypeAlias = Callable[[str, Sequence[str]], Awaitable[object]]
"""A use case: the shop, and the subjects whose timers are due there, each once.

It opens the transaction, locks the subjects, and acts on those whose timer `take` returns.
"""


@dataclass(frozen=True, slots=True)
class Timer:
    """Something that falls due. Of one kind a subject has one at most."""

    kind: str
    subject_id: str
    shop_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A due timer, as it was read; `late_s` as of then."""

    subject_id: str
    shop_id: str
    fire_at: datetime
    late_s: float


_START: Final = text(
    """
    insert into timers (kind, subject_id, shop_id, due_at, fire_at)
    values (:kind, :subject_id, :shop_id, :due_at, :due_at)
    on conflict (kind, subject_id) do update set shop_id = excluded.shop_id,
        due_at = excluded.due_at, fire_at = excluded.fire_at, failures = 0
    """
)
_CANCEL: Final = text("delete from timers where kind = :kind and subject_id = any(:subjects)")
_TAKE: Final = text(
    """
    delete from timers where kind = :kind and subject_id = any(:subjects)
        and fire_at <= clock_timestamp()
    returning subject_id
    """
)
_KINDS_DUE: Final = """
select kind from unnest($1::text[]) as known (kind) where exists (
    select from timers
    where timers.kind = known.kind and fire_at <= now() - make_interval(secs => $2)
)
"""
_DUE: Final = text(
    """
    select subject_id, shop_id, fire_at, extract(epoch from now() - due_at)::float8 as late_s
    from timers
    where kind = :kind and fire_at <= now() - make_interval(secs => :grace)
        and (fire_at, subject_id) > (:fire_at, :subject_id)
    order by fire_at, subject_id limit :limit
    """
)
_PUT_OFF: Final = text(
    """
    update timers set failures = least(failures + 1, 10),
        fire_at = clock_timestamp() + least(interval '1 hour', interval '5 s' * 2 ^ failures)
    where kind = :kind and subject_id = :subject_id and fire_at = :fire_at
    """
)
_BEGINNING: Final = (datetime.min.replace(tzinfo=UTC), "")


async def now(session: AsyncSession) -> datetime:
    """Return the database's time, which timers are started and swept by."""
    moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return moment


async def start(session: AsyncSession, *timers: Timer) -> None:
    """Start timers, in place of those that their subjects have of the same kind.

    Lock the subject before: whoever fires the timer does.
    """
    rows = [
        {
            "kind": timer.kind,
            "subject_id": timer.subject_id,
            "shop_id": timer.shop_id,
            "due_at": timer.due_at,
        }
        for timer in timers
    ]
    if rows:
        await session.execute(_START, rows)


async def cancel(session: AsyncSession, kind: str, subjects: Iterable[str]) -> None:
    """End timers unfired; those that are not there are none. Lock the subjects before."""
    await session.execute(_CANCEL, {"kind": kind, "subjects": list(subjects)})


async def take(session: AsyncSession, kind: str, subjects: Iterable[str]) -> set[str]:
    """Take the timers that are due, with this transaction; return the subjects that had one.

    Lock the subjects before. Whoever is not returned was cancelled, started anew, or fired by
    another process: nothing is to do.
    """
    taken = await session.scalars(_TAKE, {"kind": kind, "subjects": list(subjects)})
    return set(taken)


async def due(
    session: AsyncSession,
    kind: str,
    *,
    after: tuple[datetime, str] = _BEGINNING,
    grace_s: float = 0.0,
    limit: int = READ,
) -> Sequence[Due]:
    """Return timers that have been due for `grace_s`, oldest first, unlocked, above `after`."""
    fire_at, subject_id = after
    rows = await session.execute(
        _DUE,
        {
            "kind": kind,
            "grace": grace_s,
            "fire_at": fire_at,
            "subject_id": subject_id,
            "limit": limit,
        },
    )
    return [Due(row.subject_id, row.shop_id, row.fire_at, row.late_s) for row in rows]


class Timers:
    """A role: fires what is due. Any number may run; the holder of the lease does the work.

    A use case that fails is given half as many, down to the one timer that fails: that one is put
    off, longer each time up to an hour, and the rest fire. What it leans on is no timer's fault: a
    database that is busy leaves a shop's timers as they are for the next sweep, and one that is
    away stops all.
    """

    def __init__(
        self,
        database: Database,
        *,
        metrics: Metrics,
        clock: Clock,
        every_s: float = EVERY_S,
    ) -> None:
        self._db = database
        self._metrics = metrics
        self._leases = Leases(database)
        self._fires: dict[str, Fire] = {}
        self._left: set[tuple[str, str]] = set()
        """Kinds and shops that met trouble when they were last tried: others come before them.
        Emptied by the first sweep that meets none."""
        self._clock = clock
        self._stopping = False
        self._turns = Periodic("timers", self.sweep, every_s=every_s, clock=clock)

    def on(self, kind: str, fire: Fire) -> None:
        """Call `fire` with timers of that kind."""
        self._fires[kind] = fire

    async def start(self) -> None:
        """Nothing to get ready."""

    async def run(self) -> None:
        """Fire until `stop`."""
        try:
            await self._turns.run()
        finally:
            await self.close()

    async def stop(self) -> None:
        """End after the transaction under way: a backlog is the next process's."""
        self._stopping = True
        await self._turns.stop()

    async def close(self) -> None:
        """Give the lease back, for whoever called `sweep` by himself: `run` does so at its end."""
        await self._leases.close()

    async def sweep(self) -> None:
        """Fire everything that is due by now, each timer once.

        Raises `DatabaseAway`, and behind the last timer `Unavailable` if some were left.
        """
        trouble: Unavailable | None = None
        grace_s = 0.0 if await self._leading() else GRACE_S
        places = dict.fromkeys(await self._kinds_due(grace_s=grace_s), _BEGINNING)
        oldest_s = 0.0
        while places:
            for kind, place in list(places.items()):
                found = await self._due(kind, place, grace_s=grace_s)
                if place == _BEGINNING and found:
                    oldest_s = max(oldest_s, found[0].late_s)
                    self._metrics.timers_oldest.set(oldest_s)
                met = await self._fire_all(kind, found)
                trouble = met or trouble
                if len(found) < READ or self._stopping or met is not None:
                    del places[kind]
                else:
                    places[kind] = (found[-1].fire_at, found[-1].subject_id)
        if not oldest_s:
            self._metrics.timers_oldest.set(0)
        if trouble is not None:
            raise trouble
        self._left.clear()

    async def _leading(self) -> bool:
        return await self._leases.take(LEASE)

    async def _kinds_due(self, *, grace_s: float) -> Sequence[str]:
        """Return the kinds of which something is due: on a quiet day one question, and no more.

        It is asked on the connection of the lease, which is lost if that does not answer.
        """
        async with self._leases.read_across("of which kinds a timer is due") as connection:
            rows = await connection.fetch(_KINDS_DUE, list(self._fires), grace_s)
        return [row["kind"] for row in rows]

    async def _due(
        self, kind: str, place: tuple[datetime, str], *, grace_s: float
    ) -> Sequence[Due]:
        async with self._db.read_across("timers that are due") as session:
            return await due(session, kind, after=place, grace_s=grace_s)

    async def _fire_all(self, kind: str, found: Sequence[Due]) -> Unavailable | None:
        """Fire what was read, shop by shop, the oldest shop first; return what was met, if any."""
        read_at = self._clock.monotonic()
        shops: dict[str, list[Due]] = {}
        for one in found:
            shops.setdefault(one.shop_id, []).append(one)
        met: list[Unavailable] = []
        for shop_id in sorted(shops, key=lambda shop_id: (kind, shop_id) in self._left):
            if self._stopping or len(met) == BUSY_MOST:
                break
            try:
                await self._fire_shop(kind, shops[shop_id], read_at)
            except DatabaseAway:
                raise
            except Unavailable as trouble:
                if (kind, shop_id) not in self._left:  # once, not with every sweep
                    log.warning("timers.left", kind=kind, shop_id=shop_id, reason=trouble.slug)
                self._left.add((kind, shop_id))
                met.append(trouble)
            else:
                self._left.discard((kind, shop_id))
        return met[-1] if met else None

    async def _fire_shop(self, kind: str, of_shop: Sequence[Due], read_at: float) -> None:
        for first in range(0, len(of_shop), BATCH):
            if self._stopping:
                return
            batch = of_shop[first : first + BATCH]
            await self._fire(kind, batch)
            since_read_s = self._clock.monotonic() - read_at
            for one in batch:
                self._metrics.timer_late.labels(kind).observe(one.late_s + since_read_s)

    async def _fire(self, kind: str, batch: Sequence[Due]) -> None:
        """Fire a batch of one shop; halve it until what fails stands alone, and put that off."""
        failure = await self._failure(kind, batch)
        if failure is not None and len(batch) > 1:
            middle = len(batch) // 2
            await self._fire(kind, batch[:middle])
            await self._fire(kind, batch[middle:])
        elif failure is not None:
            log.error("timers.put_off", kind=kind, exc_info=failure)
            self._metrics.timers_put_off.labels(kind).inc()
            await self._defer(kind, batch[0])

    async def _failure(self, kind: str, batch: Sequence[Due]) -> Exception | None:
        try:
            await self._fires[kind](batch[0].shop_id, [one.subject_id for one in batch])
        except Unavailable:
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, all others must fire
            return failure
        return None

    async def _defer(self, kind: str, one: Due) -> None:
        row = {"kind": kind, "subject_id": one.subject_id, "fire_at": one.fire_at}
        async with self._db.write(one.shop_id) as session:
            await session.execute(_PUT_OFF, row)
