"""Who gets a waiting buyer or work item: the order of the queue and the choice among agents.

Pure: facts in, a decision with its reason and the candidates it saw out.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import Final

import msgspec

from contracts.people import AgentState, PersonId, Role, SkillGroupId
from services.conversation.conversations.domain import rank_of
from services.conversation.staff.domain import AT_DESK

CANDIDATES_KEPT: Final = 20
"""Candidates stored with a decision; a shop with more agents keeps the best placed."""

BESIDE_PERCENT: Final = 30
"""So much of a senior's places at most, and one at least, is for overdue work of others: the rest
is for those who wait (B41)."""

_NOT_THERE: Final = frozenset({AgentState.OFFLINE, AgentState.SUSPENDED})

Placing = tuple[float, float, str]
"""How well placed an agent is, the smaller the better: share of his load, idle since, id."""


class Reason(StrEnum):
    """Why an agent was chosen, or nobody."""

    SAME_AGENT = "same_agent"
    LEAST_LOADED = "least_loaded"
    OVERFLOW = "overflow"
    NOBODY_ONLINE = "nobody_online"
    """The whole shop is offline or suspended: a buyer leaves a message (H35)."""
    GROUP_EMPTY = "group_empty"
    """Of his group nobody is online, of the shop somebody is there (H35)."""
    ALL_FULL = "all_full"
    SENIOR_BESIDE = "senior_beside"
    """He was added to the holder of overdue work (B42)."""
    TAKEN = "taken"
    """He took the conversation himself (F11)."""
    NO_SENIOR = "no_senior"
    """No senior but its holder is online with room for overdue work."""


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """An agent as routing sees him. `load` counts open conversations and work items.

    Without any group he is a generalist and serves them all; None says that they were not read, as
    of somebody without room. Of his work items `beside` are those on which he is the senior beside
    another. A msgspec struct: a go makes one of everybody in the shop.
    """

    agent_id: PersonId
    state: AgentState
    load: int
    capacity: int
    groups: frozenset[SkillGroupId] | None
    last_assigned_at: datetime | None = None
    role: str = Role.AGENT
    beside: int = 0

    @property
    def has_room(self) -> bool:
        """Whether one more fits."""
        return self.load < self.capacity

    @property
    def room(self) -> int:
        """How many more fit."""
        return max(self.capacity - self.load, 0)

    @property
    def room_beside(self) -> int:
        """To how much overdue work of others he can be added."""
        if self.role != Role.SENIOR or self.state is not AgentState.ONLINE:
            return 0
        most = max(self.capacity * BESIDE_PERCENT // 100, 1)
        return max(min(self.room, most - self.beside), 0)

    def may_have(self, one: "Waiting") -> bool:
        """Tell whether he may be given it at all: what names a role is for nobody else."""
        return one.role is None or one.role == self.role

    def serves(self, group: SkillGroupId | None) -> bool:
        """Tell whether he answers this group's buyers; None is anybody's."""
        groups = _groups(self)
        return group is None or not groups or group in groups


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for an agent. `skill_group_id` None: any agent will do.

    With a `role` only people of that role will do.
    """

    id: str
    skill_group_id: SkillGroupId | None
    since: datetime
    priority: int = 0
    preferred_agent_id: PersonId | None = None
    avoided_agent_id: PersonId | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A work item that escalated, and its holder alone has it."""

    id: str
    agent_id: PersonId
    skill_group_id: SkillGroupId | None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who was chosen, why, and among whom."""

    waiting_id: str
    agent_id: PersonId | None
    reason: Reason
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """The free places of a shop: what of its queues a go has to look at (H39).

    `own` are the agents at their desks with room, each with how much and his role: whoever had one
    of them before may come to him. `online` counts the places that anybody may have, `groups` are
    those which they serve, with `every` group if a generalist is among them; `roles` are theirs.
    """

    own: tuple[tuple[PersonId, int, str], ...]
    online: int
    groups: frozenset[SkillGroupId]
    every: bool
    roles: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """How many can be given somebody at all."""
        return sum(room for _, room, _ in self.own)


def in_order(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return the queue: oldest first, a priority counting as time already waited."""
    return sorted(waiting, key=lambda one: (rank_of(one.since, one.priority), one.id))


class Distribution:
    """Gives what waits to agents; each choice counts for the next.

    Agents are kept best placed first, so a choice costs no sorting. That is laid out when somebody
    is chosen: where nobody has room nothing is.
    """

    def __init__(self, candidates: Iterable[Candidate], *, now: datetime) -> None:
        self._known = {one.agent_id: one for one in candidates}
        self._now = now

    def places(self) -> Places:
        """Return what is free."""
        here = [one for one in self._known.values() if one.state in AT_DESK and one.has_room]
        online = [one for one in here if one.state is AgentState.ONLINE]
        return Places(
            own=tuple((one.agent_id, one.room, one.role) for one in here),
            online=sum(one.room for one in online),
            groups=frozenset(group for one in online for group in _groups(one)),
            every=any(not _groups(one) for one in online),
            roles=frozenset(one.role for one in online),
        )

    def decide(self, queue: Iterable[Waiting], *, patient: datetime) -> list[Decision]:
        """Choose an agent for each of them, in the order of the queue; leave out whom nobody fits.

        Who waits since the moment `patient`, or longer, is helped by every group.
        """
        chosen = (self._decided(one, patient) for one in in_order(queue))
        return [one for one in chosen if one is not None]

    def seniors_with_room(self) -> list[PersonId]:
        """Return who may be added to overdue work of others."""
        return [one.agent_id for one in self._known.values() if one.room_beside]

    def accompany(self, overdue: Iterable[Overdue]) -> list[Decision]:
        """Choose a senior for each of them, in their order; leave out those for whom nobody is.

        The best placed of its group comes first, then of any: it is late already.
        """
        made = []
        for one in overdue:
            chosen = self._senior(one)
            if chosen is not None:
                seniors = self._seniors()
                made.append(Decision(one.id, chosen.agent_id, Reason.SENIOR_BESIDE, seniors))
                self._give(msgspec.structs.replace(chosen, beside=chosen.beside + 1))
        return made

    def alone(self, work_id: str) -> Decision:
        """Return why nobody comes to overdue work."""
        return Decision(work_id, None, Reason.NO_SENIOR, self._seniors())

    def left(self, waiting_id: str, group: SkillGroupId | None) -> Decision:
        """Return why somebody of this group waits on; asks for the groups of everybody."""
        every, groups = self._online
        if every or group in groups or (group is None and groups):
            reason = Reason.ALL_FULL
        else:
            reason = Reason.GROUP_EMPTY if self._is_anybody_there else Reason.NOBODY_ONLINE
        return Decision(waiting_id, None, reason, self._seen())

    @cached_property
    def _placings(self) -> list[Placing]:
        """Everybody."""
        return sorted(map(_placing, self._known.values()))

    @cached_property
    def _open(self) -> list[Placing]:
        """Who is online with room: the only ones that are looked through."""
        return sorted(_placing(one) for one in self._known.values() if _is_open(one))

    @cached_property
    def _online(self) -> tuple[bool, frozenset[SkillGroupId]]:
        """Whether a generalist is online, and of which groups somebody is."""
        online = [one for one in self._known.values() if one.state is AgentState.ONLINE]
        groups = frozenset(group for one in online for group in _groups(one))
        return any(not _groups(one) for one in online), groups

    @cached_property
    def _is_anybody_there(self) -> bool:
        return any(one.state not in _NOT_THERE for one in self._known.values())

    def _decided(self, waiting: Waiting, patient: datetime) -> Decision | None:
        choice = self._choice(waiting, patient)
        if choice is None:
            return None
        chosen, reason = choice
        seen = self._seen()
        self._give(chosen)
        return Decision(waiting.id, chosen.agent_id, reason, seen)

    def _choice(self, waiting: Waiting, patient: datetime) -> tuple[Candidate, Reason] | None:
        """Choose the agent for one who waits.

        The agent who had the buyer comes first, even when busy; then the least loaded of the group
        who is online, the longest idle among equals; then, if he waited for long, of every group.
        """
        had = self._known.get(waiting.preferred_agent_id) if waiting.preferred_agent_id else None
        if had is not None and had.state in AT_DESK and had.has_room and had.may_have(waiting):
            return had, Reason.SAME_AGENT
        skilled = self._first(waiting, lambda one: one.serves(waiting.skill_group_id))
        if skilled is not None:
            return skilled, Reason.LEAST_LOADED
        anybody = self._first(waiting, lambda _: True) if waiting.since <= patient else None
        return None if anybody is None else (anybody, Reason.OVERFLOW)

    def _first(self, waiting: Waiting, fits: Callable[[Candidate], bool]) -> Candidate | None:
        """Return the best placed who may have it, online with room; who is avoided is last."""
        avoided = None
        for *_, agent_id in self._open:
            one = self._known[PersonId(agent_id)]
            if fits(one) and one.may_have(waiting):
                if one.agent_id != waiting.avoided_agent_id:
                    return one
                avoided = one
        return avoided

    def _senior(self, overdue: Overdue) -> Candidate | None:
        open_ones = (self._known[PersonId(agent_id)] for *_, agent_id in self._open)
        able = [one for one in open_ones if one.room_beside and one.agent_id != overdue.agent_id]
        of_group = (one for one in able if one.serves(overdue.skill_group_id))
        return next(of_group, able[0] if able else None)

    def _give(self, chosen: Candidate) -> None:
        after = msgspec.structs.replace(chosen, load=chosen.load + 1, last_assigned_at=self._now)
        _move(self._placings, chosen, after)
        if _is_open(chosen):
            _move(self._open, chosen, after if _is_open(after) else None)
        self._known[after.agent_id] = after

    def _seniors(self) -> tuple[Candidate, ...]:
        placed = (self._known[PersonId(agent_id)] for *_, agent_id in self._placings)
        return tuple(islice((one for one in placed if one.role == Role.SENIOR), CANDIDATES_KEPT))

    def _seen(self) -> tuple[Candidate, ...]:
        best = self._placings[:CANDIDATES_KEPT]
        return tuple(self._known[PersonId(agent_id)] for *_, agent_id in best)


def _groups(candidate: Candidate) -> frozenset[SkillGroupId]:
    if candidate.groups is None:
        raise ValueError("of who has no room the groups were not read")
    return candidate.groups


def _is_open(candidate: Candidate) -> bool:
    return candidate.state is AgentState.ONLINE and candidate.has_room


def _move(placings: list[Placing], before: Candidate, after: Candidate | None) -> None:
    """Keep the order where somebody's place in it changes, or he leaves it."""
    del placings[bisect_left(placings, _placing(before))]
    if after is not None:
        insort(placings, _placing(after))


def _placing(candidate: Candidate) -> Placing:
    idle_since = candidate.last_assigned_at
    return (
        candidate.load / max(candidate.capacity, 1),
        idle_since.timestamp() if idle_since is not None else 0.0,
        candidate.agent_id,
    )
