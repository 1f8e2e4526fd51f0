"""What people read of orders, and what time deletes, is found by index in the order it is shown."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from contracts.orders import OrderState
from contracts.people import OrderId, PersonId, ShopId
from kit import inbox, keyed
from kit.postgres import Database
from services.orders import app
from services.orders.intake import repository as intake
from services.orders.settings import Settings
from services.orders.tables import AUDIT
from services.orders.trade import repository
from tests.infrastructure import Infrastructure
from tests.plans import AUDIT_FILL, Read, assert_all_are_there, assert_spared, audit_reads, filled

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SHOP, BUYER, ORDER = ShopId("plans"), PersonId("buyer-10"), OrderId("order-0500")
ORDERS = ("/v1/orders",)

page = partial(partial, repository.page, shop_id=SHOP, limit=51)

READS = [
    Read("a shop's orders", page(), ORDERS),
    Read("the next page", page(below=ORDER), ORDERS),
    Read("a shop's orders in a state", page(state=OrderState.PAID), ORDERS),
    Read("the next page in a state", page(state=OrderState.PAID, below=ORDER), ORDERS),
    Read("a buyer's orders", page(buyer_id=BUYER), ORDERS),
    Read("a buyer's next page", page(buyer_id=BUYER, below=ORDER), ORDERS),
    Read(
        "a buyer's orders in a state",
        page(buyer_id=BUYER, state=OrderState.PAID),
        ORDERS,
        filters="one buyer's orders",
    ),
    Read("an order by its external id", page(external_id="ext-10"), ORDERS),
    Read("some orders of a shop", partial(repository.some, shop_id=SHOP, ids=[ORDER]), ORDERS),
    Read("orders by a whole phone", partial(repository.called, shop_id=SHOP, phone="13800000010",
         limit=20), ORDERS),
    Read("the remarks of an order", partial(repository.remarks, order_id=ORDER),
         ("/v1/orders/{order_id}/remarks",)),
    Read("the interlocks of an order", partial(repository.locks, order_id=ORDER),
         ("/v1/orders/{order_id}/interlocks",), sorts="one order's interlocks"),
    Read("receipts to forget", partial(intake.forget_deliveries, limit=100)),
    Read("intake versions", partial(intake.intake_version, shop_id=SHOP)),
    Read("keys to forget", partial(keyed.forget, limit=100)),
    Read("inbox rows to forget", partial(inbox.forget, limit=100)),
    *audit_reads(AUDIT, "/v1/audit/orders"),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(infra: Infrastructure) -> AsyncIterator[Database]:
    """A thousand orders, a tenth of them of one shop; a hundred buyers, all states."""
    async with filled(infra, "orders", FILL, AUDIT_FILL) as made:
        yield made


@pytest.mark.parametrize("read", READS, ids=lambda read: read.title)
async def test_an_index_spares_what_is_read(store: Database, read: Read) -> None:
    await assert_spared(store, read)


async def test_no_list_is_without_a_row_here() -> None:
    assert_all_are_there(READS, app.build(Settings()).http, repository, intake)


_SHOP = "case n % 10 when 0 then 'plans' else 'other' end"

FILL = f"""
insert into orders (id, shop_id, external_id, buyer_id, buyer_name, recipient_name,
    recipient_phone, recipient_address, lines, total_fen, currency, state, version, facts_hash,
    placed_at)
select 'order-' || lpad(n::text, 4, '0'), {_SHOP}, 'ext-' || n,
    'buyer-' || n % 100, '', '', '',
    '', '[]', 100, 'CNY',
    (array['placed', 'paid', 'released', 'printed', 'closed'])[1 + n / 10 % 5], 1,
    '', now()
from generate_series(1, 1000) n
"""
