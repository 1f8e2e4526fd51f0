"""Who is chosen for whom: load, skill, the same agent, the order of the queue."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.people import AgentState, PersonId, Role, SkillGroupId
from services.conversation.conversations.domain import TIER_STEP
from services.conversation.routing.assignment import (
    CANDIDATES_KEPT,
    Candidate,
    Decision,
    Distribution,
    Overdue,
    Reason,
    Waiting,
    in_order,
)
from tests.unit.conversation.queue_model import told

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


def senior(name: str, *, load: int = 0, capacity: int = 5, **more: object) -> Candidate:
    return agent(name, load=load, capacity=capacity, role=Role.SENIOR, **more)


def overdue(*names: str, group: SkillGroupId | None = PRE) -> list[Overdue]:
    return [Overdue(name, PersonId("holder"), group) for name in names or ("w",)]


def accompany(work: list[Overdue], agents: Iterable[Candidate]) -> list[PersonId | None]:
    distribution = Distribution(agents, now=NOW)
    return [one.agent_id for one in distribution.accompany(work)]


def distribute(queue: Iterable[Waiting], agents: Iterable[Candidate]) -> list[Decision]:
    return told(Distribution(agents, now=NOW), queue, patient=NOW - PATIENCE)


def choose(one: Waiting, agents: Iterable[Candidate], *, overflows: bool = False) -> Decision:
    patience = timedelta(0) if overflows else timedelta(days=1)
    return told(Distribution(agents, now=NOW), [one], patient=NOW - patience)[0]


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
    assert choose(waiting(), [agent("a", state=state)]).agent_id is None


@pytest.mark.parametrize("state", [AgentState.OFFLINE, AgentState.SUSPENDED])
def test_nobody_is_online_only_where_the_whole_shop_is_away_or_suspended(
    state: AgentState,
) -> None:
    away = [agent("a", state=state), agent("b", state=state, groups=frozenset({AFTER}))]

    assert choose(waiting(), []).reason is Reason.NOBODY_ONLINE
    assert choose(waiting(), away).reason is Reason.NOBODY_ONLINE


@pytest.mark.parametrize("state", [AgentState.ONLINE, AgentState.BUSY, AgentState.BREAK])
def test_a_group_is_empty_where_somebody_of_the_shop_is_there_but_nobody_of_it_online(
    state: AgentState,
) -> None:
    other = agent("b", state=state, groups=frozenset({AFTER}))
    own = [agent("a", state=AgentState.BREAK), agent("c", state=AgentState.SUSPENDED)]

    assert choose(waiting(), [other]).reason is Reason.GROUP_EMPTY
    assert choose(waiting(), [other, *own]).reason is Reason.GROUP_EMPTY


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


def test_work_of_a_role_goes_to_that_role_however_long_it_waits() -> None:
    named = waiting(skill_group_id=None, role=Role.SUPERVISOR, preferred_agent_id=PersonId("idle"))
    boss = agent("boss", load=4, role=Role.SUPERVISOR)

    assert choose(named, [agent("idle"), boss]).agent_id == "boss"
    assert choose(named, [agent("idle")], overflows=True).agent_id is None
    assert choose(replace(named, role="a role of later"), [boss], overflows=True).agent_id is None


def test_overdue_work_has_the_best_placed_senior_of_its_group_then_any() -> None:
    busy, idle = senior("busy", load=3), senior("idle", groups=frozenset({AFTER}))

    assert accompany(overdue(), [agent("a"), busy, idle]) == ["busy"]
    assert accompany(overdue(), [agent("a"), idle]) == ["idle"]
    assert accompany(overdue(group=None), [busy, idle]) == ["idle"]


@pytest.mark.parametrize(
    "known",
    [
        agent("a"),
        agent("a", role=Role.SUPERVISOR),
        agent("holder", role=Role.SENIOR),
        agent("s", role=Role.SENIOR, load=5),
        agent("s", role=Role.SENIOR, capacity=0),
        *(agent("s", role=Role.SENIOR, state=one) for one in AgentState if one != "online"),
    ],
)
def test_nobody_comes_but_a_senior_who_is_online_with_room_and_not_its_holder(
    known: Candidate,
) -> None:
    distribution = Distribution([known], now=NOW)

    assert distribution.accompany(overdue()) == []
    missing = distribution.alone("w")
    assert (missing.agent_id, missing.reason) == (None, Reason.NO_SENIOR)
    assert missing.candidates == ((known,) if known.role == Role.SENIOR else ())


def test_overdue_work_takes_three_tenths_of_a_seniors_places_and_one_at_least() -> None:
    assert accompany(overdue("1", "2", "3", "4"), [senior("s", capacity=10)]) == ["s"] * 3
    assert accompany(overdue("1", "2"), [senior("s", capacity=10, load=2, beside=2)]) == ["s"]
    assert accompany(overdue("1", "2"), [senior("s", capacity=1)]) == ["s"]
    assert accompany(overdue("1"), [senior("s", capacity=10, load=9)]) == ["s"]


def test_a_senior_who_was_added_has_a_place_less_for_those_who_wait() -> None:
    distribution = Distribution([senior("s", capacity=1)], now=NOW)

    assert distribution.places().count == 1
    assert distribution.accompany(overdue())
    assert distribution.places().count == 0
    assert distribution.decide([waiting()], patient=NOW - PATIENCE) == []


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

    decisions = distribute(queue, [agent("a", capacity=2), agent("b", capacity=2)])

    assert [one.agent_id for one in decisions] == ["a", "b", "a", "b", None]


def test_overflow_begins_with_the_wait() -> None:
    helper = [agent("h", groups=frozenset({AFTER}))]
    queue = [waiting("young", waited_s=19.9), waiting("old", waited_s=20)]

    decisions = distribute(queue, helper)

    assert {one.waiting_id: one.agent_id for one in decisions} == {"old": "h", "young": None}


def test_why_somebody_waits_is_not_told_without_everybodys_groups() -> None:
    distribution = Distribution([agent("a", load=5, groups=None)], now=NOW)

    with pytest.raises(ValueError, match="groups were not read"):
        distribution.left("w", PRE)
