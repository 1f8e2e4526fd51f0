"""Agents' states on the wire."""

from contracts.base import Moment
from contracts.people import AgentState, Role
from kit.web.app import Body
from services.conversation.access.schemas import View


class StateChange(Body):
    """Whether an agent receives buyers from now on."""

    state: AgentState


class AgentView(View):
    """An agent's state, for colleagues."""

    id: str
    name: str
    role: Role
    state: AgentState
    state_since: Moment | None
    version: int
