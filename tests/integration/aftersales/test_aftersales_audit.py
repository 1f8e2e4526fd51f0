"""The audit of cases: who asked for money and who gave it, for the leaders of their shop alone."""

import pytest

from contracts.people import Role
from tests.integration.aftersales.test_cases import approved, opened, paid_order
from tests.suites.audit import AuditSuite, Done, House, Opens
from tests.trade import Person, Trade

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


class TestAudit(AuditSuite):
    """The suite, on cases."""

    @pytest.fixture
    def opens(self, trade: Trade) -> Opens:
        return lambda: _house(trade)


async def _house(trade: Trade) -> House:
    shop = trade.shop()
    buyer, supervisor = shop.buyer("tb-1"), shop.person(Role.SUPERVISOR)
    order_id = await paid_order(trade, shop)

    async def person(role: Role) -> Person:
        return buyer if role is Role.BUYER else shop.person(role)

    first, second = [await opened(buyer, order_id) for _ in range(2)]
    assert (await approved(supervisor, first)).status_code == 200
    refunded = await supervisor.post(f"/v1/cases/{first}/refund", if_match=2)
    assert refunded.status_code == 200
    return House(
        shop_id=shop.id,
        path="/v1/audit/aftersales",
        known=f"/v1/cases/{second}",
        refused="refused_other_shop",
        done=[
            Done("case_requested", buyer.id, first),
            Done("case_requested", buyer.id, second),
            Done("case_review_approve", supervisor.id, first, "同意"),
            Done("case_refunded", supervisor.id, first),
        ],
        person=person,
    )
