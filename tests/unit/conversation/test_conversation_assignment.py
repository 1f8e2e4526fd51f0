"""Who is chosen for whom: load, skill, the same agent, the order of the queue."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.people import AgentState, PersonId, SkillGroupId
from services.conversation.routing.assignment import (
    CANDIDATES_KEPT,
    TIER_STEP,
    Candidate,
    Reason,
    Waiting,
    choose,
    distribute,
    in_order,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 11, tzinfo=UTC)
PRE, AFTER = SkillGroupId("pre"), SkillGroupId("after")
PATIENCE = timedelta(seconds=20)


def agent(name: str, *, load: int = 0, capacity: int = 5, **more: object) -> Candidate:
    fields: dict[str, object] = {
        "agent_id": PersonId(name),
        "state": AgentState.ONLINE,
        "load": load,
        "capacity": capacity,
        "groups": frozenset({PRE}),
    }
    return Candidate(**fields | more)  # type: ignore[arg-type]  # the keywords are the fields


def waiting(name: str = "w", *, waited_s: float = 0, **more: object) -> Waiting:
    fields: dict[str, object] = {"id": name, "skill_group_id": PRE}
    fields["since"] = NOW - timedelta(seconds=waited_s)
    return Waiting(**fields | more)  # type: ignore[arg-type]  # the keywords are the fields


def test_the_least_loaded_for_his_capacity_is_chosen() -> None:
    decision = choose(waiting(), [agent("a", load=2, capacity=4), agent("b", load=4, capacity=10)])

    assert (decision.agent_id, decision.reason) == ("b", Reason.LEAST_LOADED)


def test_among_equals_the_longest_idle_is_chosen() -> None:
    busy_lately = agent("a", last_assigned_at=NOW)
    idle = agent("b", last_assigned_at=NOW - timedelta(minutes=1))

    assert choose(waiting(), [busy_lately, idle]).agent_id == "b"


def test_the_same_agent_comes_before_the_least_loaded_even_when_busy() -> None:
    known = agent("known", load=4, state=AgentState.BUSY, groups=frozenset({AFTER}))

    decision = choose(waiting(preferred_agent_id=PersonId("known")), [agent("idle"), known])

    assert (decision.agent_id, decision.reason) == ("known", Reason.SAME_AGENT)


@pytest.mark.parametrize(
    "known",
    [
        agent("known", load=5),
        agent("known", state=AgentState.SUSPENDED),
        agent("known", state=AgentState.BREAK),
    ],
)
def test_the_same_agent_is_not_forced(known: Candidate) -> None:
    decision = choose(waiting(preferred_agent_id=PersonId("known")), [known, agent("idle")])

    assert decision.agent_id == "idle"


@pytest.mark.parametrize("state", [state for state in AgentState if state != AgentState.ONLINE])
def test_only_who_is_online_gets_new_buyers(state: AgentState) -> None:
    decision = choose(waiting(), [agent("a", state=state)])

    assert (decision.agent_id, decision.reason) == (None, Reason.NOBODY_ONLINE)


def test_full_agents_get_nobody() -> None:
    assert choose(waiting(), [agent("a", load=5)]).reason is Reason.ALL_FULL
    assert choose(waiting(), [agent("a", capacity=0)]).agent_id is None


def test_an_agent_without_groups_serves_them_all() -> None:
    generalist = agent("g", groups=frozenset())

    assert choose(waiting(skill_group_id=AFTER), [agent("a"), generalist]).agent_id == "g"


def test_work_without_a_group_goes_to_anybody() -> None:
    assert choose(waiting(skill_group_id=None), [agent("a")]).agent_id == "a"


def test_another_group_helps_only_where_the_own_one_has_no_room() -> None:
    own, other = agent("own", load=5), agent("other", groups=frozenset({AFTER}))

    assert choose(waiting(), [own, other]).agent_id is None
    helped = choose(waiting(), [own, other], overflows=True)
    assert (helped.agent_id, helped.reason) == ("other", Reason.OVERFLOW)
    assert choose(waiting(), [agent("own"), other], overflows=True).agent_id == "own"


def test_whoever_handed_the_buyer_on_is_asked_last() -> None:
    giver, other = agent("giver"), agent("other", load=4)
    handed_on = waiting(avoided_agent_id=PersonId("giver"))

    assert choose(handed_on, [giver, other]).agent_id == "other"
    assert choose(handed_on, [giver]).agent_id == "giver"


def test_the_decision_names_the_candidates_it_saw_best_first() -> None:
    seen = [agent(f"a{number:03}", load=number % 5) for number in range(50)]

    decision = choose(waiting(), seen)

    assert len(decision.candidates) == CANDIDATES_KEPT
    assert [one.load for one in decision.candidates] == [0] * 10 + [1] * 10


def test_the_queue_is_oldest_first() -> None:
    queue = [waiting("young", waited_s=1), waiting("old", waited_s=9), waiting("mid", waited_s=5)]

    assert [one.id for one in in_order(queue)] == ["old", "mid", "young"]


def test_priority_is_a_head_start_and_no_pass() -> None:
    step = TIER_STEP.total_seconds()
    queue = [
        waiting("patient", waited_s=2 * step + 1),
        waiting("rich", priority=2),
        waiting("small", waited_s=2 * step - 1),
    ]

    assert [one.id for one in in_order(queue)] == ["patient", "rich", "small"]


def test_each_choice_counts_for_the_next() -> None:
    queue = [waiting(f"w{number}", waited_s=100 - number) for number in range(5)]

    decisions = distribute(
        queue,
        [agent("a", capacity=2), agent("b", capacity=2)],
        now=NOW,
        overflow_after=PATIENCE,
    )

    assert [one.agent_id for one in decisions] == ["a", "b", "a", "b", None]


def test_overflow_begins_with_the_wait() -> None:
    helper = [agent("h", groups=frozenset({AFTER}))]
    queue = [waiting("young", waited_s=19.9), waiting("old", waited_s=20)]

    decisions = distribute(queue, helper, now=NOW, overflow_after=PATIENCE)

    assert {one.waiting_id: one.agent_id for one in decisions} == {"old": "h", "young": None}


_AGENTS = st.lists(
    st.builds(
        Candidate,
        agent_id=st.integers(0, 50).map(lambda n: PersonId(f"a{n}")),
        state=st.sampled_from(AgentState),
        load=st.integers(0, 6),
        capacity=st.integers(0, 6),
        groups=st.frozensets(st.sampled_from([PRE, AFTER])),
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
    ),
    max_size=20,
    unique_by=lambda one: one.id,
)


@given(queue=_QUEUE, agents=_AGENTS)
def test_nobody_is_overfilled_and_nobody_waits_beside_room(
    queue: list[Waiting], agents: list[Candidate]
) -> None:
    decisions = distribute(queue, agents, now=NOW, overflow_after=PATIENCE)

    given_to = [one.agent_id for one in decisions if one.agent_id is not None]
    room = {one.agent_id: one.capacity - one.load for one in agents}
    online = {one.agent_id for one in agents if one.state is AgentState.ONLINE}
    assert {one.waiting_id for one in decisions} == {one.id for one in queue}
    assert set(given_to) <= online
    assert all(given_to.count(name) <= max(room[name], 0) for name in online)
    left = {one.waiting_id for one in decisions if one.agent_id is None}
    free = [one for one in agents if one.agent_id in online and
            room[one.agent_id] > given_to.count(one.agent_id)]  # fmt: skip
    for one in (one for one in queue if one.id in left):
        assert not any(
            one.skill_group_id is None or not a.groups or one.skill_group_id in a.groups
            for a in free
        )
