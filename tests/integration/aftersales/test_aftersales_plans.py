"""What people read of cases and work, and what deadlines sweep, is found by index."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import pytest
import pytest_asyncio

from contracts.aftersales import CaseState
from contracts.people import CaseId, OrderId, PersonId, ShopId, WorkId
from kit import timers
from kit.postgres import Database
from services.aftersales import app
from services.aftersales.cases import repository
from services.aftersales.settings import Settings
from services.aftersales.tables import AUDIT
from services.aftersales.work import repository as items
from services.aftersales.work.domain import WorkState
from tests.infrastructure import Infrastructure
from tests.plans import AUDIT_FILL, Read, assert_all_are_there, assert_spared, audit_reads, filled

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SHOP, BUYER, AGENT, ORDER = ShopId("plans"), PersonId("buyer-10"), "agent-10", "order-0500"
PLACE = (datetime(2026, 11, 11, tzinfo=UTC), "work-0500")
CASES, WORK = ("/v1/cases",), ("/v1/work-items",)
OF_ORDER = "what one order has"
BOTH_HOLDERS = "a page held as agent and a page held as senior are sorted into one"
SOME_CASES = [CaseId("case-0001"), CaseId("case-0002")]
SOME_WORK = [WorkId("work-0001"), WorkId("work-0002")]

cases = partial(partial, repository.cases, shop_id=SHOP, limit=51)
work = partial(partial, items.work_items, shop_id=SHOP, limit=51)

READS = [
    Read("a shop's cases", cases(), CASES),
    Read("the next page of cases", cases(below="case-0500"), CASES),
    Read("cases in a state", cases(state=CaseState.REQUESTED, below="case-0500"), CASES),
    Read("a buyer's cases", cases(buyer_id=BUYER, below="case-0500"), CASES),
    Read(
        "a buyer's cases in a state",
        cases(buyer_id=BUYER, state=CaseState.REQUESTED),
        CASES,
        filters="one buyer's cases",
    ),
    Read("an order's cases", cases(order_id=ORDER), CASES),
    Read("a shop's work", work(), WORK),
    Read("the next page of work", work(below=PLACE), WORK),
    Read("work in a state", work(state=WorkState.OPEN, below=PLACE), WORK),
    Read("a holder's work", work(agent_id=AGENT, below=PLACE), WORK, sorts=BOTH_HOLDERS),
    Read(
        "a holder's work in a state",
        work(agent_id=AGENT, state=WorkState.OPEN, below=PLACE),
        WORK,
        filters="the states of what one senior holds",
        sorts=BOTH_HOLDERS,
    ),
    Read("an order's work", work(order_id=ORDER), WORK, filters=OF_ORDER),
    Read("timers that are due", partial(timers.due, kind="case_warning", limit=100)),
    Read(
        "timers that are due, further on",
        partial(timers.due, kind="case_warning", after=(PLACE[0], "case-0500"), limit=100),
    ),
    Read("cases to warn of", partial(repository.lock_cases, case_ids=SOME_CASES)),
    Read(
        "work that escalates",
        partial(items.lock_work, work_ids=SOME_WORK),
        filters="a batch is looked up by its keys, and sorted where sorting is not to be avoided",
    ),
    Read("work of an order", partial(items.lock_work_of, order_ids=[OrderId(ORDER)])),
    *audit_reads(AUDIT, "/v1/audit/aftersales"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(infra: Infrastructure) -> AsyncIterator[Database]:
    """A thousand orders, a tenth of them of one shop, with a case and a work item each."""
    async with filled(infra, "aftersales", *FILLS, AUDIT_FILL) as made:
        yield made


@pytest.mark.parametrize("read", READS, ids=lambda read: read.title)
async def test_an_index_spares_what_is_read(store: Database, read: Read) -> None:
    await assert_spared(store, read)


async def test_no_list_is_without_a_row_here() -> None:
    assert_all_are_there(READS, app.build(Settings()).http, repository, items)


_SHOP = "case n % 10 when 0 then 'plans' else 'other' end"

FILLS = (
    f"""
    insert into payments (order_id, shop_id, buyer_id, external_id, paid_fen, currency, paid_at)
    select 'order-' || lpad(n::text, 4, '0'), {_SHOP},
        'buyer-' || n % 100, 'ext-' || n, 100,
        'CNY', now() from generate_series(1, 1000) n
    """,
    f"""
    insert into cases (id, shop_id, order_id, buyer_id, kind, state, version, amount_fen, currency,
        buyer_reason, opened_by, opened_at, updated_at)
    select 'case-' || lpad(n::text, 4, '0'), {_SHOP},
        'order-' || lpad(n::text, 4, '0'),
        'buyer-' || n % 100, 'refund',
        (array['requested', 'reviewed', 'refunded', 'rejected', 'closed'])[1 + n / 10 % 5], 1, 100,
        'CNY', '', '', now(), now() from generate_series(1, 1000) n
    """,
    """
    insert into timers (kind, subject_id, shop_id, due_at, fire_at)
    select case n / 10 % 3 when 0 then 'other' else 'case_warning' end,
        'case-' || lpad(n::text, 4, '0'), 'plans', at, at
    from generate_series(1, 1000) n,
        lateral (select now() + (n - 500) * interval '1 minute' as at) moments
    """,
    f"""
    insert into work_items (id, shop_id, order_id, buyer_id, kind, attempt, state, agent_id,
        senior_id, due_at, opened_at)
    select 'work-' || lpad(n::text, 4, '0'), {_SHOP},
        'order-' || lpad(n::text, 4, '0'),
        'buyer-' || n % 100, 'verify_address', 1, (array['open', 'settled'])[1 + n / 20 % 2],
        'agent-' || n % 20, case n % 7 when 0 then 'agent-' || (n + 3) % 20 end, now(),
        '2026-11-11'::timestamptz + n * interval '1 second'
        from generate_series(1, 1000) n
    """,
)
