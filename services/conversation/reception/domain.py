"""Who of the staff may do what with a conversation, and how it is refused. Pure."""

from typing import Final

from contracts.people import CHATTING_STAFF, AssignmentMode, Role
from kit.errors import Conflict, Forbidden, Unprocessable
from services.conversation.conversations.domain import Conversation
from services.conversation.staff.domain import AT_DESK, Agent, AgentFull

LEADING_STAFF: Final = frozenset({Role.SUPERVISOR, Role.ADMIN})
"""They may act on a conversation that a colleague owns."""

FORCING_STAFF: Final = LEADING_STAFF | {Role.SENIOR}
"""They may hand on to a colleague beyond his capacity."""


class NotOwner(Forbidden):
    """Another agent has this conversation."""

    slug, title = "not_owner", "Another agent has this conversation"


class NotYourGroup(Forbidden):
    """Colleagues of another group answer these buyers."""

    slug, title = "not_your_group", "Buyers of this group are not yours to take"


class NotOnDuty(Conflict):
    """Whoever takes a buyer from the queue receives buyers; a leader need not."""

    slug, title = "not_on_duty", "Go online before you take a buyer"


class UnknownTarget(Unprocessable):
    """The transfer names nobody, two, or nobody of this shop."""

    slug, title = "unknown_target", "Name one agent or one skill group of this shop"


class AgentAway(Conflict):
    """The colleague does not receive buyers at this moment."""

    slug, title = "agent_away", "This colleague does not receive buyers now"


def mode_of_taking(
    conversation: Conversation, agent: Agent, load: int, *, force: bool
) -> AssignmentMode:
    """Return how somebody who has so much already would hold this conversation (F11).

    Who waits may be taken by anybody of the group who is on duty with room, or by a leader; a
    colleague's buyer by a leader alone. A leader off duty, or without room for a colleague's buyer,
    holds it beside his load. Who was dismissed while he waited for the shop's turn takes nobody,
    good as his token was when he asked. Raises `Forbidden`, `NotOwner`, `NotOnDuty`,
    `NotYourGroup`, `AgentFull`.
    """
    if not agent.active or agent.role not in CHATTING_STAFF:
        raise Forbidden
    leads, is_on_duty = agent.role in LEADING_STAFF, agent.state in AT_DESK
    has_room = force or load < agent.capacity
    if conversation.agent_id is not None and not leads:
        raise NotOwner
    if not is_on_duty and not leads:
        raise NotOnDuty
    if conversation.agent_id is not None or not is_on_duty:
        return AssignmentMode.ROUTED if is_on_duty and has_room else AssignmentMode.TAKEN
    groups = agent.skill_group_ids
    if groups and conversation.skill_group_id not in groups and not leads:
        raise NotYourGroup
    if not has_room:
        raise AgentFull(load=load, capacity=agent.capacity)
    return AssignmentMode.ROUTED
