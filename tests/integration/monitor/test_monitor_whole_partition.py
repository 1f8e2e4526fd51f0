"""What is about a whole partition may take longer than a statement may elsewhere."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.people import ConversationId, PersonId, ShopId
from kit.postgres import Database, DatabaseBusy
from services.monitor.fold import statements as fold_statements
from services.monitor.fold.measures import Stretch
from services.monitor.fold.repository import CONSUMER, FoldStore
from services.monitor.fold.standing import Standing
from services.monitor.fold.states import Conversation, States
from services.monitor.recount import repository as recount
from services.monitor.response import repository, statements
from tests.integration.monitor.rig import Rig

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

MANY, PARTITION, TIMEOUT_MS = 60_000, 9, 60
SLOW, LIMIT_MS = 2_500, 2_000
"""States that take a millisecond each, so that how fast a machine is does not matter."""

STORED = "select count(*) from rounds where partition = :p"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hurried(rig: Rig) -> AsyncIterator[Database]:
    """The monitor's database with a limit that a partition's rows pass, as millions pass 5 s."""
    await rig.change(
        """
        insert into rounds (generation, partition, reading, readings, opened_offset, shop_id,
            conversation_id, buyer_id, agent_id, day, opened_ms, closed_ms, waiting_since_ms,
            outcome, born_offset, settled_offset, rules, judged)
        select 1, :p, 'agent/3600/600', '{agent/3600/600}', n, 'shop', 'c' || n, 'b', 'anne',
            '2026-11-11', n, n + 1, n, 'answered', n, n, 2, '{"qiyu": [1, 1, 0, 1, 0]}'
        from generate_series(1, :many) as n
        """,
        p=PARTITION,
        many=MANY,
    )
    dsn = rig.made.dsn("monitor")
    database = Database(dsn, schema="monitor", statement_timeout_ms=TIMEOUT_MS)
    yield database
    await database.close()


async def test_a_partition_is_read_whole_and_begun_anew_however_long_it_takes(
    rig: Rig, hurried: Database
) -> None:
    with pytest.raises(DatabaseBusy):
        async with hurried.read_across("a test") as session:
            await session.execute(statements.SUMMED, {"partition": PARTITION})

    async with hurried.read_across("a test") as session:
        kept = await repository.kept(session, {"generation": 1, "partition": PARTITION})
    assert sum(score.rounds for score in kept.summed.values()) == MANY

    async with hurried.write_across("a test") as session:
        await repository.begin_anew(session, Stretch(1, PARTITION, 11, 11))
    assert await rig.rows(STORED, p=PARTITION) == [(10,)]
    counted = "select rounds from counters where partition = :p"
    assert await rig.rows(counted, p=PARTITION) == [(10,)]

    with pytest.raises(DatabaseBusy):  # the limit of every other transaction is what it was
        async with hurried.read_across("a test") as session:
            await session.execute(text("select pg_sleep(1)"))


async def test_the_states_of_a_partition_are_loaded_and_compared_however_long_it_takes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = Standing(ConversationId("c"), ShopId("shop"), PersonId("b"), 0)
    await rig.change(
        """
        insert into conversations (conversation_id, generation, partition, shop_id, open, owner,
            waiting_ms, oldest_round_ms, unsettled, forget_ms, state)
        select 'state' || n, 1, :p, 'shop', true, null, null, null, false, null, :state
        from generate_series(1, :many) as n
        """,
        p=PARTITION,
        many=SLOW,
        state=States([]).encode(Conversation(standing, [], 1)),
    )
    await rig.change(
        "insert into positions (consumer, topic, partition, next_offset)"
        " values (:consumer, 'chat', :p, 9)",
        consumer=CONSUMER,
        p=PARTITION,
    )
    slow = text(f"{fold_statements.STATES.text} and pg_sleep(0.001)::text is not null")
    monkeypatch.setattr(fold_statements, "STATES", slow)
    database = Database(rig.made.dsn("monitor"), schema="monitor", statement_timeout_ms=LIMIT_MS)
    try:
        with pytest.raises(DatabaseBusy):
            async with database.read_across("a test") as session:
                await session.execute(slow, {"generation": 1, "partition": PARTITION})

        async with database.read_across("a test") as session:
            stored = await FoldStore(1).load(session, PARTITION, [])
            compared = await recount.read(session, PARTITION, generation=1, measures=[])
    finally:
        await database.close()

    assert stored.next_offset == 9
    assert stored.conversations.keys() == {"c"}
    assert compared is not None
    assert len(compared.conversations) == SLOW
