"""Who gets a waiting buyer or work item: the order of the queue and the choice among agents.

Pure: facts in, a decision with its reason and the candidates it saw out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts.people import AgentState, PersonId, SkillGroupId

TIER_STEP: Final = timedelta(seconds=30)
"""What one step of priority is worth in waiting: small buyers wait a bounded time longer (C15)."""

CANDIDATES_KEPT: Final = 20
"""Candidates stored with a decision; a shop with more agents keeps the best placed."""


class Reason(StrEnum):
    """Why an agent was chosen, or nobody."""

    SAME_AGENT = "same_agent"
    LEAST_LOADED = "least_loaded"
    OVERFLOW = "overflow"
    NOBODY_ONLINE = "nobody_online"
    ALL_FULL = "all_full"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent as routing sees him. `load` counts open conversations and work items.

    Without any group he is a generalist and serves them all.
    """

    agent_id: PersonId
    state: AgentState
    load: int
    capacity: int
    groups: frozenset[SkillGroupId]
    last_assigned_at: datetime | None = None

    @property
    def has_room(self) -> bool:
        """Whether one more fits."""
        return self.load < self.capacity


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for an agent. `skill_group_id` None: any agent will do."""

    id: str
    skill_group_id: SkillGroupId | None
    since: datetime
    priority: int = 0
    preferred_agent_id: PersonId | None = None
    avoided_agent_id: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who was chosen, why, and among whom."""

    waiting_id: str
    agent_id: PersonId | None
    reason: Reason
    candidates: tuple[Candidate, ...]


def in_order(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return the queue: oldest first, a priority counting as time already waited."""
    return sorted(waiting, key=lambda one: (one.since - one.priority * TIER_STEP, one.id))


def choose(
    waiting: Waiting, candidates: Sequence[Candidate], *, overflows: bool = False
) -> Decision:
    """Choose the agent for one who waits.

    The agent who had the buyer comes first, even when busy; then the least loaded of the group who
    is online, the longest idle among equals. `overflows`: every group of the shop may help.
    """
    seen = tuple(sorted(candidates, key=_placing)[:CANDIDATES_KEPT])
    same = _same_agent(waiting, candidates)
    if same is not None:
        return Decision(waiting.id, same.agent_id, Reason.SAME_AGENT, seen)
    online = [one for one in candidates if one.state is AgentState.ONLINE]
    skilled = [one for one in online if _has_skill(one, waiting.skill_group_id)]
    free = _free(skilled, waiting)
    if free:
        return Decision(waiting.id, free[0].agent_id, Reason.LEAST_LOADED, seen)
    helpers = _free(online, waiting) if overflows else []
    if helpers:
        return Decision(waiting.id, helpers[0].agent_id, Reason.OVERFLOW, seen)
    return Decision(waiting.id, None, Reason.ALL_FULL if skilled else Reason.NOBODY_ONLINE, seen)


def distribute(
    queue: Iterable[Waiting],
    candidates: Sequence[Candidate],
    *,
    now: datetime,
    overflow_after: timedelta,
) -> list[Decision]:
    """Decide for a whole queue, oldest waiting first; each choice counts for the next."""
    known = {one.agent_id: one for one in candidates}
    decisions = []
    for one in in_order(queue):
        overflows = now - one.since >= overflow_after
        decision = choose(one, list(known.values()), overflows=overflows)
        if decision.agent_id is not None:
            chosen = known[decision.agent_id]
            known[chosen.agent_id] = replace(chosen, load=chosen.load + 1, last_assigned_at=now)
        decisions.append(decision)
    return decisions


def _same_agent(waiting: Waiting, candidates: Sequence[Candidate]) -> Candidate | None:
    for one in candidates:
        if one.agent_id == waiting.preferred_agent_id:
            at_desk = one.state in {AgentState.ONLINE, AgentState.BUSY}
            return one if at_desk and one.has_room else None
    return None


def _has_skill(candidate: Candidate, group: SkillGroupId | None) -> bool:
    return group is None or not candidate.groups or group in candidate.groups


def _free(candidates: Iterable[Candidate], waiting: Waiting) -> list[Candidate]:
    """Return who has room, best first; whoever handed the buyer on comes last."""
    able = [one for one in candidates if one.has_room]
    return sorted(able, key=lambda one: (one.agent_id == waiting.avoided_agent_id, *_placing(one)))


def _placing(candidate: Candidate) -> tuple[float, float, str]:
    idle_since = candidate.last_assigned_at
    return (
        candidate.load / max(candidate.capacity, 1),
        idle_since.timestamp() if idle_since is not None else 0.0,
        candidate.agent_id,
    )
