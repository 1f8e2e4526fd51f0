"""When a shop had nobody, by the topic of agents' states (H35)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.conversation import AgentStateChanged
from contracts.people import AgentState, PersonId, Role, ShopId
from services.monitor.facts import staffing as rooms
from services.monitor.facts.staffing import AWAY, Staffing

pytestmark = pytest.mark.unit

SHOP = ShopId("shop")
START = datetime(2026, 11, 11, 4, tzinfo=UTC)
LATER_MS = round(START.timestamp() * 1000) + 86_400_000


def ms(seconds: float) -> int:
    return round((START + timedelta(seconds=seconds)).timestamp() * 1000)


def changed(
    agent: str, version: int, at: float, *, state: AgentState, previous: AgentState
) -> AgentStateChanged:
    return AgentStateChanged(
        id=f"{agent}-{version}",
        time=START + timedelta(seconds=at),
        shop_id=SHOP,
        agent_id=PersonId(agent),
        name=agent,
        role=Role.AGENT,
        state=state,
        previous=previous,
        since=START + timedelta(seconds=at),
        reason="own_choice",
        version=version,
    )


def told(*changes: AgentStateChanged) -> Staffing:
    staffing = Staffing()
    for change in changes:
        staffing.note(change)
    staffing.through_ms = LATER_MS
    return staffing


def test_nothing_is_known_before_the_topic_is_read_past_the_moment() -> None:
    staffing = told(changed("anne", 1, 0, state=AgentState.OFFLINE, previous=AgentState.ONLINE))
    staffing.through_ms = ms(10)

    assert staffing.unstaffed(SHOP, ms(9)) is True
    assert staffing.unstaffed(SHOP, ms(10)) is None


def test_a_shop_is_unstaffed_while_all_are_offline_or_suspended() -> None:
    staffing = told(
        changed("anne", 1, 0, state=AgentState.SUSPENDED, previous=AgentState.ONLINE),
        changed("ben", 1, 5, state=AgentState.OFFLINE, previous=AgentState.BREAK),
        changed("ben", 2, 60, state=AgentState.BREAK, previous=AgentState.OFFLINE),
    )

    seen = {at: staffing.unstaffed(SHOP, ms(at)) for at in (-1, 1, 5, 5.001, 60, 60.001)}
    # At the very millisecond of a change the chat comes first.
    assert seen == {-1: False, 1: False, 5: False, 5.001: True, 60: True, 60.001: False}


def test_a_shop_of_which_no_agent_is_known_is_staffed() -> None:
    assert told().unstaffed(SHOP, ms(0)) is False


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["anne", "ben", "cleo"]),
            st.sampled_from(list(AgentState)),
            st.integers(0, 3),
        ),
        max_size=12,
    ),
    st.integers(-5, 40),
    st.randoms(use_true_random=False),
)
def test_it_is_what_every_agent_says_in_whatever_order_it_is_read(
    script: list[tuple[str, AgentState, int]], asked: int, order: object
) -> None:
    at, versions, states = 0, {"anne": 0, "ben": 0, "cleo": 0}, dict[str, AgentState]()
    changes, last = [], dict[str, AgentState]()
    for agent, state, pause in script:
        at += pause
        versions[agent] += 1
        previous = states.get(agent, AgentState.ONLINE)
        changes.append(changed(agent, versions[agent], at, state=state, previous=previous))
        last.setdefault(agent, previous)
        states[agent] = state
        if at < asked:
            last[agent] = state
    order.shuffle(changes)  # type: ignore[attr-defined] # hypothesis gives a Random

    staffing = told(*changes, *changes[:2])

    expected = bool(last) and all(state in AWAY for state in last.values())
    assert staffing.unstaffed(SHOP, ms(asked)) is expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["anne", "ben", "cleo"]),
            st.sampled_from(list(AgentState)),
            st.integers(0, 3),
            st.booleans(),
        ),
        max_size=20,
    ),
    st.sampled_from(list(AgentState)),
)
def test_asked_after_every_change_it_answers_what_one_answers_that_was_told_all_at_once(
    script: list[tuple[str, AgentState, int, bool]], first: AgentState
) -> None:
    at, live = 0, told()
    versions, states, changes = dict[str, int](), dict[str, AgentState](), []
    for agent, state, pause, late in script:
        at += pause
        versions[agent] = versions.get(agent, 0) + 1
        previous = states.get(agent, first)
        # Now and then one is noted with a moment before others that were noted already.
        change = changed(agent, versions[agent], at - 4 * late, state=state, previous=previous)
        changes.append(change)
        states[agent] = state
        live.note(change)
        answers = [live.unstaffed(SHOP, ms(second)) for second in range(-6, at + 3)]

        whole = told(*changes)
        assert answers == [whole.unstaffed(SHOP, ms(second)) for second in range(-6, at + 3)]


def test_an_agent_s_newest_change_does_not_lay_the_shop_s_history_out_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = told(
        *(
            changed(f"a{n}", 1, 0, state=AgentState.ONLINE, previous=AgentState.OFFLINE)
            for n in range(3)
        )
    )
    assert live.unstaffed(SHOP, ms(1)) is False

    def refused(agents: object) -> tuple[list[int], list[int]]:
        raise AssertionError("laid out anew")

    monkeypatch.setattr(rooms, "_timeline", refused)
    for n in range(3):
        # A break is no absence, so the first of these moves nothing at all.
        for version, state, at in ((2, AgentState.BREAK, 10), (3, AgentState.OFFLINE, 20 + n)):
            was = AgentState.ONLINE if version == 2 else AgentState.BREAK
            live.note(changed(f"a{n}", version, at, state=state, previous=was))
            live.unstaffed(SHOP, ms(at))

    seen = [live.unstaffed(SHOP, ms(at)) for at in (0, 11, 22, 22.001)]
    assert seen == [True, False, False, True]
