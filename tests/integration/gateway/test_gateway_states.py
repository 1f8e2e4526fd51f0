"""A person's own state on his inbox: what another device or a leader set is there at once (F13)."""

import uuid

import pytest

from contracts.conversation import AgentStateChanged
from contracts.people import AgentState, PersonId, Role, ShopId
from tests.integration.gateway.desk import SHOP, Desk
from tests.integration.gateway.test_gateway_work import AT, watching

pytestmark = pytest.mark.integration


async def test_whose_state_was_set_is_told_on_his_inbox_and_nobody_else(desk: Desk) -> None:
    one, other = await watching(desk, 2)

    await desk.publish(_set(one.id, AgentState.SUSPENDED, 3))
    told = await one.hears("staff.state_changed.v1")

    assert (told["version"], told["d"]["state"]) == (3, "suspended")
    await desk.publish(_set(other.id, AgentState.ONLINE, 1))
    await other.hears("staff.state_changed.v1", version=1)
    assert other.heard == ["staff.state_changed.v1"]


def _set(agent_id: PersonId, state: AgentState, version: int) -> AgentStateChanged:
    return AgentStateChanged(
        id=str(uuid.uuid4()),
        time=AT,
        shop_id=ShopId(SHOP),
        agent_id=agent_id,
        name="小陈",
        role=Role.AGENT,
        state=state,
        previous=AgentState.OFFLINE,
        since=AT,
        reason="supervisor",
        version=version,
    )
