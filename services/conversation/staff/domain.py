"""Members of staff: what is known of them, and what the directory tells the platform (H13).

Pure; passwords are not among the facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, NamedTuple

from contracts.conversation import AgentStateChanged, PersonListed
from contracts.people import AgentState, PersonId, Role, ShopId, SkillGroupId
from kit.errors import Conflict
from services.conversation.domain import EVER, Stamp, revoked_at

AT_DESK: Final = frozenset({AgentState.ONLINE, AgentState.BUSY})
"""The states in which somebody answers; the busy gets no new buyer."""

AWAY: Final = frozenset({AgentState.OFFLINE, AgentState.BREAK})
"""The states in which a colleague answers whoever waits (H38)."""

HIRED: Final = "staff.hired"
CHANGED: Final = "staff.changed"
DISMISSED: Final = "staff.dismissed"
REINSTATED: Final = "staff.reinstated"
"""What the audit calls what happens to a member of staff."""

StateReason = Literal["own_choice", "supervisor", "heartbeat_lost", "returned", "deactivated"]


class SuspendedByLeader(Conflict):
    """A leader took him off the queue; another choice of his own must not undo it (H38)."""

    slug, title = "suspended_by_leader", "A leader suspended you, and a leader lifts it"


class AgentFull(Conflict):
    """The colleague has as many as he can take; a leader may `force`."""

    slug, title = "agent_full", "This colleague has no room now"


class AtWork(NamedTuple):
    """Somebody who is not offline, or comes back with `resume_state` when a gateway carries him.

    Or he `took` conversations off duty. A tuple, for thousands are read every few seconds.
    """

    id: PersonId
    shop_id: ShopId
    state: AgentState
    resume_state: AgentState | None
    took: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """One member of staff. `resume_state` is what an agent returns to after a lost connection.

    `suspended_by` is the leader whose suspension stands: no state of his own choice that receives
    buyers is allowed until a leader sets another.
    """

    id: PersonId
    shop_id: ShopId
    name: str
    role: Role
    active: bool
    capacity: int
    login: str = ""
    skill_group_ids: tuple[SkillGroupId, ...] = ()
    not_before: datetime = EVER
    version: int = 1
    state: AgentState = AgentState.OFFLINE
    state_since: datetime | None = None
    state_version: int = 0
    resume_state: AgentState | None = None
    suspended_by: PersonId | None = None

    def withdrawn(self, at: datetime) -> "Agent":
        """Return the agent with every token of his ended."""
        return replace(self, not_before=revoked_at(at), version=self.version + 1)


def change_state(
    agent: Agent,
    state: AgentState,
    reason: StateReason,
    *,
    stamp: Stamp,
    leader: PersonId | None = None,
) -> tuple[Agent, AgentStateChanged | None]:
    """Set the agent's state, by `leader` where it is not his own. Raises `SuspendedByLeader`.

    A repeat is not evented (C3).
    """
    if reason == "own_choice" and agent.suspended_by is not None and state in AT_DESK:
        raise SuspendedByLeader
    if reason in {"supervisor", "deactivated"}:
        suspends = state is AgentState.SUSPENDED
        agent = replace(agent, suspended_by=leader if suspends else None)
    if agent.state is state:
        chosen = reason not in {"heartbeat_lost", "returned"}
        return (replace(agent, resume_state=None) if chosen else agent), None
    changed = replace(
        agent,
        state=state,
        state_since=stamp.at,
        state_version=agent.state_version + 1,
        resume_state=agent.state if reason == "heartbeat_lost" else None,
    )
    event = AgentStateChanged(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=agent.shop_id,
        agent_id=agent.id,
        name=agent.name,
        role=agent.role,
        state=state,
        previous=agent.state,
        since=stamp.at,
        reason=reason,
        version=changed.state_version,
    )
    return changed, event


def listed_agent(agent: Agent, stamp: Stamp) -> PersonListed:
    """Return the directory's entry of a member of staff, who was read with his skills."""
    return PersonListed(
        id=stamp.ids.new(),
        time=stamp.at,
        shop_id=agent.shop_id,
        subject=agent.id,
        name=agent.name,
        role=agent.role,
        active=agent.active,
        not_before=agent.not_before,
        version=agent.version,
        capacity=agent.capacity,
        groups=agent.skill_group_ids,
    )


def action_of(before: Agent, after: Agent) -> str:
    """Return what the audit calls the change."""
    if before.active is not after.active:
        return REINSTATED if after.active else DISMISSED
    return CHANGED


def told(before: Agent, after: Agent, *, groups: Mapping[str, str], password: bool) -> str:
    """Return the change in words for the audit: fields with their values before and after.

    `groups` maps ids of skill groups to their codes. A password is named, and never shown.
    """
    pairs = {
        "name": (before.name, after.name),
        "role": (str(before.role), str(after.role)),
        "capacity": (str(before.capacity), str(after.capacity)),
        "skill_groups": (_codes(before, groups), _codes(after, groups)),
    }
    changes = [f"{field}: {old} → {new}" for field, (old, new) in pairs.items() if old != new]
    return "; ".join([*changes, *(["password"] if password else [])])


def _codes(agent: Agent, groups: Mapping[str, str]) -> str:
    return " ".join(sorted(groups[one] for one in agent.skill_group_ids if one in groups)) or "-"
