"""Who may take a conversation himself, by what is known of him when it is his turn (F11)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.people import (
    AgentState,
    AssignmentMode,
    ConversationId,
    ConversationState,
    PersonId,
    Role,
    ShopId,
    SkillGroupId,
)
from kit.errors import Forbidden
from services.conversation.conversations.domain import Conversation
from services.conversation.reception.domain import mode_of_taking
from services.conversation.staff.domain import Agent

pytestmark = pytest.mark.unit

LEADER = Agent(PersonId("leader"), ShopId("s"), "陈平", Role.SUPERVISOR, active=True, capacity=5)
WAITING = Conversation(
    id=ConversationId("c"),
    shop_id=ShopId("s"),
    buyer_id=PersonId("b"),
    skill_group_id=SkillGroupId("g"),
    state=ConversationState.QUEUED,
    opened_at=datetime(2026, 11, 11, tzinfo=UTC),
)


def test_a_leader_off_duty_takes_who_waits() -> None:
    assert mode_of_taking(WAITING, LEADER, 0, force=False) is AssignmentMode.TAKEN


@pytest.mark.parametrize("role", [Role.CLERK, Role.ADMIN])
def test_who_answers_nobody_any_more_takes_nobody(role: Role) -> None:
    demoted = replace(LEADER, role=role, state=AgentState.ONLINE)

    with pytest.raises(Forbidden):
        mode_of_taking(WAITING, demoted, 0, force=False)


@pytest.mark.parametrize("state", AgentState)
def test_who_was_dismissed_takes_nobody(state: AgentState) -> None:
    gone = replace(LEADER, active=False, state=state)

    with pytest.raises(Forbidden):
        mode_of_taking(WAITING, gone, 0, force=False)
    with pytest.raises(Forbidden):
        mode_of_taking(replace(WAITING, agent_id=PersonId("a")), gone, 0, force=True)
