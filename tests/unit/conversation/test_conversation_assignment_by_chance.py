"""Who is chosen in shops made by chance: nobody is overfilled, and the plainest way agrees."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.people import AgentState, PersonId, Role, SkillGroupId
from services.conversation.routing.assignment import (
    Candidate,
    Decision,
    Distribution,
    Reason,
    Waiting,
    in_order,
)
from services.conversation.staff.domain import AT_DESK
from tests.unit.conversation.queue_model import heads, told

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 11, tzinfo=UTC)
PRE, AFTER = SkillGroupId("pre"), SkillGroupId("after")
PATIENCE = timedelta(seconds=20)


def distribute(queue: Iterable[Waiting], agents: Iterable[Candidate]) -> list[Decision]:
    return told(Distribution(agents, now=NOW), queue, patient=NOW - PATIENCE)


_NAMES = st.integers(0, 9).map(lambda n: PersonId(f"a{n}"))
_ROLES = st.sampled_from([Role.AGENT, Role.SENIOR])
_AGENTS = st.lists(
    st.builds(
        Candidate,
        agent_id=_NAMES,
        state=st.sampled_from(AgentState),
        load=st.integers(0, 6),
        capacity=st.integers(0, 6),
        groups=st.frozensets(st.sampled_from([PRE, AFTER])),
        last_assigned_at=st.none() | st.integers(0, 50).map(lambda s: NOW - timedelta(seconds=s)),
        role=_ROLES,
    ),
    max_size=8,
    unique_by=lambda one: one.agent_id,
)
_QUEUE = st.lists(
    st.builds(
        Waiting,
        id=st.integers(0, 10**6).map(str),
        skill_group_id=st.sampled_from([PRE, AFTER, None]),
        since=st.integers(0, 100).map(lambda s: NOW - timedelta(seconds=s)),
        priority=st.integers(0, 9),
        preferred_agent_id=st.none() | _NAMES,
        avoided_agent_id=st.none() | _NAMES,
        role=st.none() | _ROLES,
    ).map(lambda one: replace(one, skill_group_id=None) if one.role else one),
    max_size=20,
    unique_by=lambda one: one.id,
)


@given(queue=_QUEUE, agents=_AGENTS)
def test_nobody_is_overfilled_and_nobody_waits_beside_room(
    queue: list[Waiting], agents: list[Candidate]
) -> None:
    decisions = distribute(queue, agents)

    given_to = [one.agent_id for one in decisions if one.agent_id is not None]
    room = {one.agent_id: one.capacity - one.load for one in agents}
    online = {one.agent_id for one in agents if one.state is AgentState.ONLINE}
    at_desk = {one.agent_id for one in agents if one.state in AT_DESK}
    assert {one.waiting_id for one in decisions} == {one.id for one in queue}
    assert set(given_to) <= at_desk
    prefer = {one.id: one.preferred_agent_id for one in queue}
    roles = {one.agent_id: one.role for one in agents}
    named = {one.id: one.role for one in queue}
    assert all(
        named[one.waiting_id] in {None, roles[one.agent_id]}
        for one in decisions
        if one.agent_id is not None
    )
    assert all(
        one.agent_id in online or one.agent_id == prefer[one.waiting_id]
        for one in decisions
        if one.agent_id is not None
    )
    assert all(given_to.count(name) <= max(room[name], 0) for name in at_desk)
    left = {one.waiting_id for one in decisions if one.agent_id is None}
    free = [one for one in agents if one.agent_id in online and
            room[one.agent_id] > given_to.count(one.agent_id)]  # fmt: skip
    for one in (one for one in queue if one.id in left):
        assert not any(
            one.skill_group_id is None or not a.groups or one.skill_group_id in a.groups
            for a in free
            if one.role in {None, a.role}
        )


@given(queue=_QUEUE, agents=_AGENTS)
def test_keeping_agents_in_order_chooses_as_sorting_them_for_each_buyer_does(
    queue: list[Waiting], agents: list[Candidate]
) -> None:
    found = [(one.waiting_id, one.agent_id, one.reason) for one in distribute(queue, agents)]

    assert [(one, agent_id) for one, agent_id, _ in found] == by_sorting(queue, agents)
    for _, agent_id, reason in found:
        unplaced = {Reason.ALL_FULL, Reason.GROUP_EMPTY, Reason.NOBODY_ONLINE}
        assert (agent_id is None) == (reason in unplaced)


@given(queue=_QUEUE, agents=_AGENTS)
def test_the_heads_that_a_go_looks_at_get_what_the_whole_queue_would_give_them(
    queue: list[Waiting], agents: list[Candidate]
) -> None:
    places = Distribution(agents, now=NOW).places()
    seen = heads(queue, places, patient=NOW - PATIENCE)

    def given_to(waiting: list[Waiting]) -> dict[str, PersonId]:
        decided = distribute(waiting, agents)
        return {one.waiting_id: one.agent_id for one in decided if one.agent_id is not None}

    assert given_to(seen) == given_to(queue)
    assert places.count or not seen


@given(queue=_QUEUE, agents=_AGENTS)
def test_nobody_is_chosen_by_the_groups_of_who_has_no_room(
    queue: list[Waiting], agents: list[Candidate]
) -> None:
    fewer = [one if one.has_room else msgspec.structs.replace(one, groups=None) for one in agents]
    whole, read = Distribution(agents, now=NOW), Distribution(fewer, now=NOW)

    def chosen(distribution: Distribution) -> list[tuple[str, PersonId | None, Reason]]:
        made = distribution.decide(queue, patient=NOW - PATIENCE)
        return [(one.waiting_id, one.agent_id, one.reason) for one in made]

    assert read.places() == whole.places()
    assert chosen(read) == chosen(whole)


def by_sorting(queue: list[Waiting], agents: list[Candidate]) -> list[tuple[str, PersonId | None]]:
    """Decide in the plainest way: look at everybody anew for each who waits."""
    known = {one.agent_id: one for one in agents}
    found: list[tuple[str, PersonId | None]] = []
    for one in in_order(queue):
        chosen = plainly(one, list(known.values()))
        if chosen is not None:
            after = msgspec.structs.replace(chosen, load=chosen.load + 1, last_assigned_at=NOW)
            known[chosen.agent_id] = after
        found.append((one.id, chosen.agent_id if chosen else None))
    return found


def plainly(one: Waiting, agents: list[Candidate]) -> Candidate | None:
    free = [each for each in agents if each.has_room and one.role in {None, each.role}]
    for each in free:
        if each.agent_id == one.preferred_agent_id and each.state in AT_DESK:
            return each
    online = [each for each in free if each.state is AgentState.ONLINE]
    skilled = [each for each in online if each.serves(one.skill_group_id)]
    able = skilled or (online if NOW - one.since >= PATIENCE else [])
    return min(
        able,
        key=lambda each: (
            each.agent_id == one.avoided_agent_id,
            each.load / max(each.capacity, 1),
            each.last_assigned_at.timestamp() if each.last_assigned_at else 0.0,
            each.agent_id,
        ),
        default=None,
    )
