"""Timers on a real server: fired once each, whoever sweeps, cancels or dies at the same time."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from typing_extensions import override

from kit import timers
from kit.clock import SystemClock
from kit.leases import Leases
from kit.metrics import Metrics
from kit.postgres import Database, DatabaseAway, DatabaseBusy
from kit.timers import BATCH, LEASE, Timer, Timers
from tests.sweeping import swept
from tests.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.integration

KIND = "reminder"
SHOP = "shop"
BACKLOG = 10_000


@dataclass
class Reminders:
    """A use case: a subject is told once its timer falls due, unless it was answered before."""

    store: Database
    batches: list[int] = field(default_factory=list)
    inside: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    failing: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.go_on.set()

    async def fire(self, shop_id: str, subjects: Sequence[str]) -> None:
        """Tell them."""
        async with self.store.write(shop_id) as session:
            await session.execute(_LOCK, {"ids": list(subjects)})
            due = await timers.take(session, KIND, subjects)
            self.batches.append(len(due))
            if self.failing & due:
                raise ZeroDivisionError
            await session.execute(_TELL, {"ids": list(due)})
            self.inside.set()
            await self.go_on.wait()

    async def answer(self, subject: str) -> None:
        """Answer before anybody is told: the command that cancels the timer."""
        async with self.store.write(SHOP) as session:
            await session.execute(_LOCK, {"ids": [subject]})
            await session.execute(_ANSWER, {"id": subject})
            await timers.cancel(session, KIND, [subject])


_LOCK = text("select 1 from subjects where id = any(:ids) order by id for update")
_TELL = text("update subjects set told = told + 1, state = 'told' where id = any(:ids)")
_ANSWER = text("update subjects set state = 'answered' where id = :id and state = 'open'")


class EverLeading(Timers):
    """A sweep that goes on as if it had the lease: what is left of safety is the rows'."""

    @override
    async def _leading(self) -> bool:
        return True


@pytest.fixture
async def subjects(store: Database) -> Database:
    """The store, with a table of subjects."""
    async with store.write_across("a test") as session:
        await session.execute(
            text(
                "create table subjects (id text primary key, told int not null default 0,"
                " state text not null default 'open')"
            )
        )
    return store


def sweeper(store: Database, reminders: Reminders, made: type[Timers] = Timers) -> Timers:
    one = made(store, metrics=Metrics(), clock=SystemClock(), every_s=0.02)
    one.on(KIND, reminders.fire)
    return one


@asynccontextmanager
async def running(*sweepers: Timers) -> AsyncIterator[None]:
    """Run sweeps as services would."""
    tasks = [asyncio.create_task(one.run()) for one in sweepers]
    try:
        yield
    finally:
        await asyncio.gather(*(one.stop() for one in sweepers))
        await asyncio.gather(*tasks)


async def due(store: Database, count: int, *, ago: str = "0") -> list[str]:
    """Make subjects whose timers fell due so long ago."""
    ids = [f"s{n:05}" for n in range(count)]
    async with store.write_across("a test") as session:
        await session.execute(
            text("insert into subjects (id) select unnest(cast(:ids as text[]))"), {"ids": ids}
        )
        await session.execute(
            text(
                "insert into timers (kind, subject_id, shop_id, due_at, fire_at) select :kind, id,"
                " :shop, at, at from subjects, lateral (select now() - cast(:ago as text)::interval"
                " as at) moments"
            ),
            {"kind": KIND, "shop": SHOP, "ago": ago},
        )
    return ids


async def count(store: Database, query: str) -> int:
    async with store.read_across("a test") as session:
        return int((await session.execute(text(query))).scalar_one())


async def told(store: Database) -> Counter[int]:
    """Return how many subjects were told how often."""
    async with store.read_across("a test") as session:
        return Counter(await session.scalars(text("select told from subjects")))


async def left(store: Database) -> int:
    return await count(store, "select count(*) from timers")


async def test_a_timer_fires_when_it_is_due_and_not_before(subjects: Database) -> None:
    reminders = Reminders(subjects)
    await due(subjects, 1)
    at = datetime.now(UTC) + timedelta(hours=1)
    async with subjects.write(SHOP) as session:
        await session.execute(text("insert into subjects (id) values ('later')"))
        await timers.start(session, Timer(KIND, "later", SHOP, at))

    async with running(sweeper(subjects, reminders)):
        await eventually(lambda: _told_once(subjects, "s00000"))
        assert await told(subjects) == {1: 1, 0: 1}

        async with subjects.write(SHOP) as session:
            await timers.start(session, Timer(KIND, "later", SHOP, datetime.now(UTC)))
        await eventually(lambda: _told_once(subjects, "later"))
    assert await left(subjects) == 0


async def _told_once(store: Database, subject: str) -> bool:
    return await count(store, f"select told from subjects where id = '{subject}'") == 1


async def test_two_replicas_at_once_fire_each_timer_once(subjects: Database) -> None:
    reminders = Reminders(subjects)
    await due(subjects, 2_000)

    replicas = [sweeper(subjects, reminders, EverLeading) for _ in range(4)]
    await asyncio.gather(*(swept(one) for one in replicas))

    assert await told(subjects) == {1: 2_000}
    assert sum(reminders.batches) == 2_000
    assert await left(subjects) == 0


async def test_a_command_that_cancels_while_sweeps_fire_meets_no_deadlock(
    subjects: Database,
) -> None:
    reminders = Reminders(subjects)
    ids = await due(subjects, 600)
    chance = random.Random(7)
    answered = chance.sample(ids, 300)
    replicas = [sweeper(subjects, reminders, EverLeading) for _ in range(3)]

    async def answering(some: Sequence[str]) -> None:
        for subject in some:
            await reminders.answer(subject)

    # A deadlock would be raised here, or put a timer off and leave it.
    await asyncio.gather(
        *(answering(answered[n::6]) for n in range(6)), *(swept(one) for one in replicas)
    )

    assert await left(subjects) == 0
    both = "select count(*) from subjects where (state = 'answered') = (told = 1)"
    assert await count(subjects, both) == 0, "each is either told or answered, never both"
    assert await count(subjects, "select count(*) from subjects where told > 1") == 0
    happened = await count(subjects, "select count(*) from subjects where state = 'answered'")
    assert 0 < happened <= 300


async def test_a_sweep_that_waits_for_the_command_finds_the_timer_gone(
    subjects: Database,
) -> None:
    reminders = Reminders(subjects)
    (subject,) = await due(subjects, 1)

    async with subjects.write(SHOP) as session:
        await session.execute(_LOCK, {"ids": [subject]})
        sweeping = asyncio.create_task(swept(sweeper(subjects, reminders, EverLeading)))
        await eventually(lambda: _waiting(subjects), what="the sweep at the lock")
        await timers.cancel(session, KIND, [subject])
    await sweeping

    assert (await told(subjects), reminders.batches) == ({0: 1}, [0])


async def _waiting(store: Database) -> bool:
    query = (
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )
    return await count(store, query) > 0


async def test_a_kill_between_taking_and_committing_fires_it_again_and_once(
    subjects: Database,
) -> None:
    reminders = Reminders(subjects)
    await due(subjects, 3)
    reminders.go_on.clear()

    sweeping = asyncio.create_task(swept(sweeper(subjects, reminders, EverLeading)))
    await asyncio.wait_for(reminders.inside.wait(), PATIENCE_S)
    assert reminders.batches == [3]
    await count(
        subjects,
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where state = 'idle in transaction' and query like 'update subjects%'",
    )
    reminders.go_on.set()
    with pytest.raises(DatabaseAway):
        await sweeping
    assert (await told(subjects), await left(subjects)) == ({0: 3}, 3)

    await swept(sweeper(subjects, reminders, EverLeading))

    assert (await told(subjects), await left(subjects)) == ({1: 3}, 0)


async def test_a_backlog_of_a_day_is_worked_off_in_batches(subjects: Database) -> None:
    reminders = Reminders(subjects)
    await due(subjects, BACKLOG, ago="1 day")
    metrics = Metrics()
    one = Timers(subjects, metrics=metrics, clock=SystemClock(), every_s=0.02)
    one.on(KIND, reminders.fire)

    begun = asyncio.get_running_loop().time()
    async with running(one):
        await eventually(lambda: _empty(subjects), within=60)
    took_s = asyncio.get_running_loop().time() - begun

    assert await told(subjects) == {1: BACKLOG}
    assert max(reminders.batches) <= BATCH
    late_s = metrics.registry.get_sample_value("peakdesk_timer_late_seconds_sum", {"kind": KIND})
    assert late_s is not None
    assert late_s / BACKLOG == pytest.approx(86_400, abs=took_s + 5)


async def _empty(store: Database) -> bool:
    return await left(store) == 0


async def test_the_next_process_takes_over_when_the_leader_is_gone(subjects: Database) -> None:
    reminders = Reminders(subjects)
    leader = Leases(subjects)
    assert await leader.take(LEASE)
    await due(subjects, 1)

    one = sweeper(subjects, reminders)
    for _ in range(3):
        await swept(one)
    assert await told(subjects) == {0: 1}, "the leader's timers are left to it"
    async with running(one):
        await leader.close()
        await eventually(lambda: _empty(subjects))

    assert await told(subjects) == {1: 1}


async def test_what_a_frozen_leader_leaves_lying_is_fired_by_another(subjects: Database) -> None:
    reminders = Reminders(subjects)
    frozen = Leases(subjects)
    assert await frozen.take(LEASE)
    await due(subjects, 5, ago="20 seconds")

    async with running(sweeper(subjects, reminders)):
        await eventually(lambda: _empty(subjects))

    assert await told(subjects) == {1: 5}
    assert frozen.held(LEASE)
    await frozen.close()


async def test_one_that_fails_waits_longer_each_time_and_the_rest_fire(
    subjects: Database,
) -> None:
    reminders = Reminders(subjects, failing={"s00003"})
    await due(subjects, 10)
    one = sweeper(subjects, reminders, EverLeading)

    await swept(one)
    await swept(one)

    assert await told(subjects) == {1: 9, 0: 1}
    wait = "select extract(epoch from fire_at - now()) from timers"
    assert 0 < await count(subjects, wait) <= 5
    reminders.failing.clear()
    async with subjects.write_across("a test") as session:
        await session.execute(text("update timers set fire_at = now()"))
    await swept(one)
    assert await told(subjects) == {1: 10}


async def test_one_whose_subject_is_locked_for_long_is_tried_again_by_the_next_sweep(
    pg_dsn: str, subjects: Database
) -> None:
    hasty = Database(pg_dsn, schema=subjects.schema, statement_timeout_ms=200)
    (subject,) = await due(subjects, 1)

    async with subjects.write(SHOP) as session:
        await session.execute(_LOCK, {"ids": [subject]})
        for _ in range(3):
            with pytest.raises(DatabaseBusy):
                await swept(sweeper(hasty, Reminders(hasty), EverLeading))
    untouched = "select count(*) from timers where failures = 0 and fire_at = due_at"
    assert await count(subjects, untouched) == 1
    await swept(sweeper(subjects, Reminders(subjects), EverLeading))

    assert await told(subjects) == {1: 1}
    await hasty.close()


async def test_starting_again_moves_the_one_timer_of_its_kind(subjects: Database) -> None:
    at = datetime.now(UTC)
    async with subjects.write(SHOP) as session:
        for kind, hours in ((KIND, 1), (KIND, 2), ("other", 3)):
            await timers.start(session, Timer(kind, "s", SHOP, at + timedelta(hours=hours)))
        assert await timers.take(session, KIND, ["s"]) == set()
        await timers.cancel(session, "other", ["s", "never there"])
        rows = (await session.execute(text("select kind, due_at, fire_at from timers"))).all()

    assert rows == [(KIND, at + timedelta(hours=2), at + timedelta(hours=2))]
