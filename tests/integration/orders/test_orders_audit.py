"""The audit of orders: what people did to them, for the leaders of their shop alone."""

import pytest

from contracts.people import Role
from tests.suites.audit import AuditSuite, Done, House, Opens
from tests.trade import Person, Trade

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


class TestAudit(AuditSuite):
    """The suite, on orders."""

    @pytest.fixture
    def opens(self, trade: Trade) -> Opens:
        return lambda: _house(trade)


async def _house(trade: Trade) -> House:
    shop = trade.shop()
    supervisor, agent, admin = map(shop.person, (Role.SUPERVISOR, Role.AGENT, Role.ADMIN))
    paid, unpaid = await shop.order(), (await shop.deliver(shop.placed())).json()["order_id"]

    async def person(role: Role) -> Person:
        return shop.buyer("tb-1") if role is Role.BUYER else shop.person(role)

    answers = [
        await supervisor.post(f"/v1/orders/{paid}/reveal", {"reason": "买家来电改址"}),
        await agent.post(f"/v1/orders/{unpaid}/close", {"reason": "没有付款"}, if_match=1),
        await admin.get(f"/v1/intake/{shop.id}/secret"),
        await admin.post(f"/v1/intake/{shop.id}/secret-rotations"),
    ]
    assert {answer.status_code for answer in answers} == {200, 201}
    return House(
        shop_id=shop.id,
        path="/v1/audit/orders",
        known=f"/v1/orders/{paid}",
        refused="refused_other_shop",
        done=[
            Done("address_shown", supervisor.id, paid, "买家来电改址"),
            Done("order_closed", agent.id, unpaid, "没有付款"),
            Done("intake_secret_shown", admin.id, "intake_secret"),
            Done("intake_secret_rotated", admin.id, "intake_secret", "version 1"),
        ],
        person=person,
    )
