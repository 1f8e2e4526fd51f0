"""What is measured, each once and in milliseconds, in a database of any size.

Each list as its plan test calls it, a history, a go of routing, a board, a batch of the archive.
"""

import time
from collections.abc import Awaitable, Callable, Sequence, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contracts.people import ShopId
from contracts.visibility import BUYER_TYPES
from kit.clock import SystemClock
from kit.ids import Uuid7Ids, dated_id, derived_id
from services.conversation.archive.domain import Batch
from services.conversation.history import repository as history
from tests.faults.volume.ground import Ground
from tests.faults.volume.masses import PARTITIONS, conversation_id, live, shop_of
from tests.integration.aftersales import test_aftersales_plans as aftersales_plans
from tests.integration.conversation import test_conversation_plans as conversation_plans
from tests.integration.monitor import test_monitor_plans as monitor_plans
from tests.integration.orders import test_orders_plans as orders_plans
from tests.plans import Read

SHOP: Final = ShopId("plans")

BATCH: Final = 500
"""Rows of a batch of the archive."""

LATELY: Final = 250
"""Conversations with an agent that were opened last, as nearly all are that somebody writes in."""

_REQUEUE: Final = """
update conversation.conversations
set state = 'queued', agent_id = null, assigned_at = null, waiting_since = opened_at
where shop_id = 'plans' and agent_id in (select id from conversation.staff
    where shop_id = 'plans' and state = 'online')
"""
"""Undoes a go: buyers of the thousand rows wait again, and nobody who is at work has one."""

_WAITING: Final = """
select count(*) from conversation.conversations where shop_id = 'plans' and state = 'queued'
"""
_FORGET: Final = "truncate conversation.outbox"


@dataclass(frozen=True, slots=True)
class Once:
    """What it took, and how much was found or done: as much in each database."""

    ms: float
    size: int


@dataclass(frozen=True)
class Subject:
    """Something whose cost is compared. `dear` says, with its figure, why it may cost more.

    What `only_reads` is explained by the server, too.
    """

    name: str
    run: Callable[[Ground], Awaitable[Once]]
    service: str = "conversation"
    only_reads: bool = False
    dear: Callable[[Ground], Awaitable[str]] | None = None


def subjects() -> list[Subject]:
    """Return everything that is measured: every read that stands behind a list, then the rest."""
    plans = {
        "conversation": conversation_plans.READS,
        "orders": orders_plans.READS,
        "aftersales": aftersales_plans.READS,
        "monitor": monitor_plans.READS,
    }
    lists = [
        Subject(f"{service}: {read.title}", _listing(service, read), service, only_reads=True)
        for service, reads in plans.items()
        for read in reads
        if read.serves
    ]
    return [
        *lists,
        Subject("conversation: any history", _any_history, only_reads=True, dear=_cold),
        Subject("conversation: a go of routing", _routed),
        Subject("monitor: a board", _board, "monitor", only_reads=True),
        Subject(f"conversation: a batch of {BATCH} for the archive", _archived_in_time),
        Subject(
            "conversation: the same, of three months and without time",
            _archived,
            dear=_random_places,
        ),
    ]


def _listing(service: str, read: Read) -> Callable[[Ground], Awaitable[Once]]:
    async def once(ground: Ground) -> Once:
        async with ground.databases[service].write(SHOP) as session:
            since = time.perf_counter()
            found = await read.run(session)
            took = time.perf_counter() - since
            await session.rollback()
        return Once(took * 1000, len(found) if isinstance(found, Sized) else 1)

    return once


async def _any_history(ground: Ground) -> Once:
    """Read the history of a conversation that nobody looked at lately."""
    number = ground.draw.randrange(0, ground.conversations, 10)  # of the shop
    async with ground.databases["conversation"].read(SHOP) as session:
        since = time.perf_counter()
        found = await history.after(
            session, conversation_id(number), (1, -1), types=BUYER_TYPES, limit=51
        )
        took = time.perf_counter() - since
    return Once(took * 1000, len(found))


async def _routed(ground: Ground) -> Once:
    """Give those who wait to those who have room, as the sweep of a conversation service does."""
    await ground.admin.execute(_REQUEUE)
    await ground.admin.execute(_FORGET)
    waiting = await ground.admin.fetchval(_WAITING)
    since = time.perf_counter()
    await ground.conversation.sweeps.fill()
    took = time.perf_counter() - since
    left = await ground.admin.fetchval(_WAITING)
    assert waiting > left, "nobody was given to anybody"
    return Once(took * 1000, waiting - left)


async def _board(ground: Ground) -> Once:
    since = time.perf_counter()
    board = await ground.boards.snapshot(SHOP)
    return Once((time.perf_counter() - since) * 1000, len(board.agents))


async def _archived_in_time(ground: Ground) -> Once:
    """Store what is said in conversations of late, under ids made of clients' UUIDv7."""
    client, going_on = Uuid7Ids(SystemClock()), live(ground.conversations)

    def new_id() -> str:
        said = client.new()
        return dated_id(said, said)

    return await _stored(ground, going_on[-min(LATELY, len(going_on)) :], new_id)


async def _archived(ground: Ground) -> Once:
    """Store what is said in conversations of three months, under ids that clients made anyhow."""
    going_on = live(ground.conversations)
    return await _stored(ground, going_on, lambda: derived_id(str(ground.draw.getrandbits(128))))


async def _stored(ground: Ground, going_on: Sequence[int], new_id: Callable[[], str]) -> Once:
    batch, ends = _batch(ground, going_on, new_id)
    since = time.perf_counter()
    new = await ground.conversation.archive.archiving.store(batch, ends, generation=1)
    return Once((time.perf_counter() - since) * 1000, new)


def _batch(
    ground: Ground, going_on: Sequence[int], new_id: Callable[[], str]
) -> tuple[Batch, dict[int, int]]:
    batch, ends = Batch.empty(), {}
    for _ in range(BATCH):
        number = ground.draw.choice(going_on)
        batch.ids.append(new_id())
        batch.conversations.append(conversation_id(number))
        batch.shops.append(shop_of(number))
        batch.partitions.append(number % PARTITIONS)
        batch.offsets.append(ground.next_offset)
        batch.types.append("chat.message.v1")
        batch.times.append(datetime.now(UTC))
        batch.senders.append("agent")
        batch.hashes.append(f"{ground.draw.getrandbits(256):064x}")
        batch.bodies.append('{"d": {"text": "' + "亲，今天下单明天就能发出，请放心" * 6 + '"}}')
        batch.versions.append(None)
        ends[number % PARTITIONS] = ground.next_offset + 1
        ground.next_offset += 1
    return batch, ends


async def _random_places(ground: Ground) -> str:
    """Ids that clients make lie anywhere in their key; nothing if their pages are shared anyway.

    A page that is the only one's is read, written and logged whole after a checkpoint for one row.
    """
    key, cache = await _sizes(ground, "conversation.pk_messages")
    pages = key * 128
    if pages <= BATCH:
        return ""
    before = await ground.admin.fetchval("select pg_current_wal_lsn()::text")
    await _archived(ground)
    logged = await ground.admin.fetchval(
        "select pg_wal_lsn_diff(pg_current_wal_lsn(), $1::text::pg_lsn)", before
    )
    return (
        f"{BATCH} random places in {pages} pages of a key of {key} MB, cache {cache} MB;"
        f" {float(logged) / 1e6:.1f} MB logged for a batch"
    )


async def _cold(ground: Ground) -> str:
    """Nobody has looked at it lately; nothing if the table fits into the cache."""
    table, cache = await _sizes(ground, "conversation.messages")
    if table < cache:
        return ""
    return f"10 random blocks of a table of {table} MB, cache {cache} MB"


async def _sizes(ground: Ground, relation: str) -> tuple[int, int]:
    """Return in megabytes how large a relation and PostgreSQL's cache are."""
    row = await ground.admin.fetchrow(
        """
        select pg_relation_size($1::text::regclass) / 1048576 as size,
            pg_size_bytes(current_setting('shared_buffers')) / 1048576 as cache
        """,
        relation,
    )
    assert row is not None
    return int(row["size"]), int(row["cache"])
