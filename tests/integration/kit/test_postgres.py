"""Sessions, inbox, positions, marks, generations and leases on the real database."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from kit import inbox, positions
from kit.errors import Fenced
from kit.leases import Leases
from kit.positions import ForeignTopic
from kit.postgres import BadData, Database, DatabaseAway, DatabaseBusy, renamed
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def notes(store: Database) -> Database:
    """A database with one table to write to."""
    async with store.write_across("a test") as session:
        await session.execute(text("create table notes (id int primary key, note text)"))
    return store


async def count(store: Database) -> int:
    async with store.read_across("a test") as session:
        return int((await session.execute(text("select count(*) from notes"))).scalar_one())


async def note(store: Database, number: int, words: str = "") -> None:
    async with store.write_across("a test") as session:
        await session.execute(
            text("insert into notes values (:id, :note)"), {"id": number, "note": words}
        )


async def test_a_write_block_commits_at_its_end_and_rolls_back_on_an_exception(
    notes: Database,
) -> None:
    await note(notes, 1)

    async def fail_halfway() -> None:
        async with notes.write_across("a test") as session:
            await session.execute(text("insert into notes values (2, '')"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail_halfway()
    assert await count(notes) == 1


async def test_a_read_block_is_one_snapshot_and_cannot_write(notes: Database) -> None:
    async with notes.read_across("a test") as session:
        before = (await session.execute(text("select count(*) from notes"))).scalar_one()
        await note(notes, 1)
        after = (await session.execute(text("select count(*) from notes"))).scalar_one()
    assert (before, after) == (0, 0)

    async def write_anyway() -> None:
        async with notes.read_across("a test") as session:
            await session.execute(text("insert into notes values (9, '')"))

    with pytest.raises(DBAPIError, match="read-only"):
        await write_anyway()


async def test_what_a_value_is_refused_for_has_a_name_of_its_own(notes: Database) -> None:
    with pytest.raises(BadData):
        await note(notes, 1, "a\x00b")
    with pytest.raises(BadData):
        await note(notes, 2**40)
    await note(notes, 1)
    with pytest.raises(IntegrityError):
        await note(notes, 1)


async def test_a_slow_statement_is_given_up_as_busy(notes: Database, pg_dsn: str) -> None:
    hasty = Database(pg_dsn, schema=notes.schema, pool_size=1, statement_timeout_ms=50)

    async def dawdle() -> None:
        async with hasty.write_across("a test") as session:
            await session.execute(text("select pg_sleep(5)"))

    with pytest.raises(DatabaseBusy) as busy:
        await dawdle()
    assert busy.value.retry_after == 1
    await hasty.close()


async def test_two_transactions_that_block_one_another_end_as_busy(notes: Database) -> None:
    await note(notes, 1)
    await note(notes, 2)
    meeting = asyncio.Barrier(2)

    async def cross(first: int, second: int) -> None:
        async with notes.write_across("a test") as session:
            lock = text("select 1 from notes where id = :id for update")
            await session.execute(lock, {"id": first})
            await meeting.wait()
            await session.execute(lock, {"id": second})

    ends = await asyncio.gather(cross(1, 2), cross(2, 1), return_exceptions=True)

    assert [type(end) for end in ends if end is not None] == [DatabaseBusy]


async def test_a_database_that_is_not_there_is_away(pg_dsn: str, unused_tcp_port: int) -> None:
    elsewhere = Database(f"postgresql://nobody:x@127.0.0.1:{unused_tcp_port}/none", schema="x")

    async def write() -> None:
        async with elsewhere.write_across("a test") as session:
            await session.execute(text("select 1"))

    for attempt in (elsewhere.ping, write, elsewhere.direct):
        with pytest.raises(DatabaseAway):
            await attempt()
    await elsewhere.close()


async def test_a_connection_that_is_cut_is_away_and_the_next_one_works(notes: Database) -> None:
    async def cut() -> None:
        async with notes.write_across("a test") as session:
            pid = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
            async with notes.write_across("a test") as other:
                await other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
            await session.execute(text("select 1"))

    with pytest.raises(DatabaseAway):
        await cut()
    await notes.ping()


async def test_an_event_is_seen_once_per_consumer_even_by_twins(store: Database) -> None:
    async def see(consumer: str, event: str) -> bool:
        async with store.write_across("a test") as session:
            return await inbox.seen(session, consumer, event)

    twins = await asyncio.gather(*(see("tasks", "e1") for _ in range(8)))

    assert sorted(twins) == [False] + [True] * 7
    assert not await see("payments", "e1")
    assert not await see("tasks", "e2")


async def test_a_rolled_back_event_was_not_seen_and_old_rows_are_forgotten(
    store: Database,
) -> None:
    async def fail() -> None:
        async with store.write_across("a test") as session:
            assert not await inbox.seen(session, "tasks", "e1")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with store.write_across("a test") as session:
        assert not await inbox.seen(session, "tasks", "e1")
        assert not await inbox.seen(session, "tasks", "e2")
        await session.execute(
            text("update inbox set seen_at = now() - interval '40 days' where event_id = 'e1'")
        )
        assert await inbox.forget(session) == 1
        assert not await inbox.seen(session, "tasks", "e1")
        assert await inbox.seen(session, "tasks", "e2")


async def test_a_position_moves_only_from_where_its_owner_thinks_it_stands(
    store: Database,
) -> None:
    async def advance(expected: int | None, new: int) -> None:
        async with store.write_across("a test") as session:
            await positions.advance(
                session, "fold", topic="chat", partition=3, expected=expected, new=new
            )

    async def stands_at() -> int | None:
        async with store.read_across("a test") as session:
            return await positions.load(session, "fold", topic="chat", partition=3)

    assert await stands_at() is None
    await advance(None, 10)
    await advance(10, 25)
    for expected in (10, 24, None):
        with pytest.raises(Fenced):
            await advance(expected, 99)
    assert await stands_at() == 25


async def test_of_two_owners_that_advance_at_once_one_is_fenced(store: Database) -> None:
    async def advance(expected: int | None, new: int) -> bool:
        try:
            async with store.write_across("a test") as session:
                await positions.advance(
                    session, "fold", topic="chat", partition=0, expected=expected, new=new
                )
        except Fenced:
            return False
        return True

    assert sorted(await asyncio.gather(advance(None, 5), advance(None, 6))) == [False, True]


async def test_marks_rise_and_never_fall(store: Database) -> None:
    async with store.write_across("a test") as session:
        await positions.raise_marks(session, "chat", {1: 10, 0: 5})
        await positions.raise_marks(session, "chat", {1: 7, 0: 6})
        await positions.raise_marks(session, "chat", {})

    async with store.read_across("a test") as session:
        assert await positions.marks(session, "chat") == {0: 6, 1: 10}
        assert await positions.mark(session, topic="chat", partition=1) == 10
        assert await positions.mark(session, topic="chat", partition=2) == 0


async def test_a_topic_made_again_is_refused_until_a_new_generation_is_begun(
    store: Database,
) -> None:
    async with store.write_across("a test") as session:
        assert await positions.generation(session, "chat", topic_id="A") == 1
        assert await positions.generation(session, "chat", topic_id="A") == 1
        await positions.raise_marks(session, "chat", {0: 500})
        with pytest.raises(ForeignTopic, match="peakdesk generation --begin"):
            await positions.generation(session, "chat", topic_id="B")
        assert await positions.begin_generation(session, "chat", topic_id="B") == 2
        assert await positions.begin_generation(session, "chat", topic_id="B") == 2
        assert await positions.generation(session, "chat", topic_id="B") == 2
        assert await positions.marks(session, "chat") == {}


async def test_a_lease_has_one_holder_and_passes_on_when_it_is_given_back(store: Database) -> None:
    one, other = Leases(store), Leases(store)

    assert await one.take("board")
    assert await one.take("board")
    assert not await other.take("board")
    assert await other.take("another")
    await one.give_back("board")
    assert not one.held("board")
    assert await other.take("board")

    await one.close()
    await other.close()


async def test_a_lease_dies_with_its_connection(store: Database, pg_dsn: str) -> None:
    one, other = Leases(store), Leases(store)
    assert await one.take("board")
    async with one.using() as connection:
        pid = connection.get_server_pid()

    killer = await asyncpg.connect(pg_dsn.replace("+asyncpg", ""))
    await killer.execute("select pg_terminate_backend($1)", pid)
    await killer.close()

    await eventually(lambda: other.take("board"))
    assert not one.held("board")
    assert not await one.take("board")
    await one.close()
    await other.close()


async def test_a_lease_whose_server_does_not_answer_is_lost_and_can_be_taken_again(
    store: Database,
) -> None:
    leases = Leases(store)
    assert await leases.take("board")

    with pytest.raises(DatabaseAway):
        async with leases.using() as connection:
            await connection.execute("select pg_sleep(1)", timeout=0.1)

    assert not leases.held("board")
    await eventually(lambda: leases.take("board"))
    await leases.close()


async def test_a_connection_that_is_out_of_step_counts_as_away() -> None:
    # asyncpg says so when a statement meets a connection whose server was killed this moment.
    with pytest.raises(DatabaseAway), renamed():
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2)")
