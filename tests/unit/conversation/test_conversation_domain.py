"""What may happen to a conversation and to an agent, each rule by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.conversation import Lifecycle
from contracts.people import (
    AgentState,
    ConversationId,
    ConversationState,
    PersonId,
    Role,
    ShopId,
    SkillGroupId,
    Stage,
)
from kit.errors import NotFound, Unprocessable
from kit.ids import SequenceIds
from services.conversation.buyers.domain import Buyer
from services.conversation.conversations.domain import (
    AlreadyRated,
    Conversation,
    ConversationIsClosed,
    Outcome,
    announce,
    assign,
    close,
    move_stage,
    open_conversation,
    rate,
    reopen,
    requeue,
)
from services.conversation.conversations.handing import (
    HandOver,
    NoteMissing,
    NothingToTransfer,
    transfer,
)
from services.conversation.domain import Stamp, known_form, revoked_at
from services.conversation.reception import stages
from services.conversation.reception.stages import StageNotAllowed
from services.conversation.staff.domain import (
    AT_DESK,
    Agent,
    StateReason,
    SuspendedByLeader,
    change_state,
)

pytestmark = pytest.mark.unit

Step = Callable[[Conversation], Outcome]

NOW = datetime(2026, 11, 11, tzinfo=UTC)
STAMP = Stamp(NOW, SequenceIds())
CHEN, WANG, BUYER = PersonId("chen"), PersonId("wang"), PersonId("buyer")
PRE, AFTER = SkillGroupId("pre"), SkillGroupId("after")


def fresh() -> Conversation:
    new = Conversation(
        id=ConversationId("c"),
        shop_id=ShopId("shop"),
        buyer_id=BUYER,
        skill_group_id=PRE,
        state=ConversationState.QUEUED,
        opened_at=NOW,
    )
    return open_conversation(new, STAMP).conversation


def owned() -> Conversation:
    return assign(fresh(), CHEN, "least_loaded", stamp=STAMP).conversation


def closed() -> Conversation:
    return close(owned(), CHEN, "", stamp=STAMP).conversation


def types(outcome: Outcome) -> list[str]:
    return [event.type for event in outcome.events]


def test_an_assignment_names_its_version() -> None:
    outcome = assign(fresh(), CHEN, "least_loaded", stamp=STAMP)

    assert outcome.conversation.agent_id == CHEN
    assert outcome.conversation.assignment_version == outcome.conversation.version == 2
    assert outcome.events[0].version == 2


def test_repeats_change_nothing() -> None:
    assert assign(owned(), CHEN, "again", stamp=STAMP) == Outcome(owned())
    assert close(closed(), CHEN, "", stamp=STAMP).events == ()
    assert reopen(owned(), BUYER, "buyer_message", stamp=STAMP).events == ()
    assert requeue(fresh(), STAMP).conversation == fresh()
    assert move_stage(owned(), Stage.WELCOME, STAMP).events == ()


def test_waiting_is_announced_once() -> None:
    lost = requeue(owned(), STAMP).conversation
    told = announce(lost, "all_full", STAMP)

    assert types(told) == ["conversation.queued.v1"]
    assert announce(told.conversation, "all_full", STAMP).events == ()
    assert announce(owned(), "x", STAMP).events == ()


def test_a_lost_agent_is_preferred_and_a_silent_one_avoided() -> None:
    lost = requeue(owned(), STAMP).conversation
    silent = requeue(owned(), STAMP, silent=True).conversation

    assert (lost.preferred_agent_id, lost.avoided_agent_id) == (CHEN, None)
    assert (silent.preferred_agent_id, silent.avoided_agent_id) == (None, CHEN)


@pytest.mark.parametrize("note", ["", "   ", "\n", "\u200b\u3164"])
def test_a_transfer_without_a_note_is_refused(note: str) -> None:
    with pytest.raises(NoteMissing):
        transfer(owned(), HandOver(WANG, AFTER, note, CHEN), STAMP)


def test_a_transfer_to_a_person_is_an_assignment() -> None:
    outcome = transfer(owned(), HandOver(WANG, AFTER, "n", CHEN), STAMP)

    assert types(outcome) == ["conversation.transferred.v1"]
    assert outcome.conversation.agent_id == WANG
    assert outcome.conversation.assignment_version == outcome.conversation.version == 3


def test_a_transfer_to_a_group_waits_there_without_a_second_announcement() -> None:
    outcome = transfer(owned(), HandOver(None, AFTER, "n", CHEN), STAMP)
    moved = outcome.conversation

    assert (moved.state, moved.skill_group_id) == (ConversationState.QUEUED, AFTER)
    assert (moved.agent_id, moved.avoided_agent_id, moved.preferred_agent_id) == (None, CHEN, None)
    assert announce(moved, "all_full", STAMP).events == ()


def test_what_nobody_owns_is_not_handed_on() -> None:
    over = HandOver(WANG, AFTER, "n", CHEN)

    with pytest.raises(NothingToTransfer):
        transfer(fresh(), over, STAMP)
    with pytest.raises(NothingToTransfer):
        transfer(owned(), replace(over, to_agent_id=CHEN), STAMP)
    with pytest.raises(ConversationIsClosed):
        transfer(closed(), over, STAMP)


def test_a_closed_conversation_takes_no_stage_and_no_agent() -> None:
    with pytest.raises(ConversationIsClosed):
        move_stage(closed(), Stage.SHIP, STAMP)
    with pytest.raises(ConversationIsClosed):
        assign(closed(), WANG, "x", stamp=STAMP)


def test_a_reopened_conversation_prefers_its_last_agent() -> None:
    outcome = reopen(closed(), BUYER, "buyer_message", stamp=STAMP)

    assert types(outcome) == ["conversation.reopened.v1"]
    assert outcome.conversation.preferred_agent_id == CHEN
    assert outcome.conversation.waiting_since == NOW


def test_a_place_in_the_queue_counts_from_the_first_unanswered_word() -> None:
    asked = NOW - timedelta(minutes=5)

    requeued = requeue(owned(), STAMP, waits_since=asked)
    handed_on = transfer(owned(), HandOver(None, AFTER, "n", CHEN), STAMP, waits_since=asked)
    again = reopen(closed(), BUYER, "buyer_message", stamp=STAMP, waits_since=asked)

    for outcome in (requeued, handed_on, again):
        assert outcome.conversation.waiting_since == asked
    assert requeue(owned(), STAMP).conversation.waiting_since == NOW


def test_the_log_is_told_since_when_the_buyer_waits_and_none_where_nobody_does() -> None:
    asked = NOW - timedelta(minutes=5)
    waiting = requeue(owned(), STAMP, waits_since=asked).conversation

    for told in (
        announce(waiting, "x", STAMP, waits_since=asked),
        assign(waiting, WANG, "x", stamp=STAMP, waits_since=asked),
        transfer(owned(), HandOver(WANG, AFTER, "n", CHEN), STAMP, waits_since=asked),
    ):
        assert [one.waiting_since for one in told.events] == [asked]  # type: ignore[attr-defined]
    assert announce(waiting, "x", STAMP).events[0].waiting_since is None  # type: ignore[attr-defined]


def test_the_buyer_rates_once_even_after_the_close() -> None:
    rated = rate(closed(), 4, STAMP).conversation

    assert rate(rated, 4, STAMP).events == ()
    with pytest.raises(AlreadyRated):
        rate(rated, 5, STAMP)
    for score in (0, 6):
        with pytest.raises(Unprocessable):
            rate(closed(), score, STAMP)


_ANYTIME: Final[dict[str, Step]] = {
    "queue": lambda one: requeue(one, STAMP),
    "silence": lambda one: requeue(one, STAMP, silent=True),
    "announce": lambda one: announce(one, "x", STAMP),
    "close": lambda one: close(one, CHEN, "", stamp=STAMP),
    "reopen": lambda one: reopen(one, BUYER, "buyer_message", stamp=STAMP),
    "rate": lambda one: rate(one, 5, STAMP),
}
_IN_STATE: Final[dict[str, tuple[ConversationState, Step]]] = {
    "assign": (ConversationState.QUEUED, lambda one: assign(one, CHEN, "x", stamp=STAMP)),
    "hand": (ConversationState.ASSIGNED, lambda one: _hand_over(one, None)),
    "give": (
        ConversationState.ASSIGNED,
        lambda one: _hand_over(one, WANG if one.agent_id == CHEN else CHEN),
    ),
    "stage": (ConversationState.ASSIGNED, lambda one: move_stage(one, Stage.VERIFY, STAMP)),
}
_STEPS = st.lists(st.sampled_from([*_ANYTIME, *_IN_STATE]), max_size=40)


def _hand_over(current: Conversation, to: PersonId | None) -> Outcome:
    return transfer(current, HandOver(to, AFTER, "n", CHEN), STAMP)


def _take(name: str, current: Conversation) -> Outcome:
    if name in _ANYTIME:
        return _ANYTIME[name](current)
    state, step = _IN_STATE[name]
    return step(current) if current.state is state else Outcome(current)


@given(_STEPS)
def test_versions_rise_by_one_with_every_event_and_the_row_stays_whole(steps: list[str]) -> None:
    current, told = fresh(), 1
    for step in steps:
        outcome = _take(step, current)
        events: tuple[Lifecycle, ...] = outcome.events
        for event in events:
            told += 1
            assert event.version == told
        current = outcome.conversation
        assert current.version == told
        assert current.assignment_version <= current.version
        assert (current.state is ConversationState.ASSIGNED) == (current.agent_id is not None)
        assert (current.state is ConversationState.QUEUED) == (current.waiting_since is not None)


@pytest.mark.parametrize("wanted", stages.ORDER)
def test_stages_go_forward_freely_and_back_only_to_haggle(wanted: Stage) -> None:
    stages.check(Stage.WELCOME, wanted)
    if wanted is Stage.SHIP or wanted in stages.BACK_TO:
        stages.check(Stage.SHIP, wanted)
    else:
        with pytest.raises(StageNotAllowed):
            stages.check(Stage.SHIP, wanted)


def _agent(**more: object) -> Agent:
    base = Agent(CHEN, ShopId("shop"), "chen", Role.AGENT, active=True, capacity=5)
    return replace(base, **more)  # type: ignore[arg-type]  # the keywords are the fields


def test_every_change_of_state_is_evented_with_its_time() -> None:
    changed, event = change_state(_agent(), AgentState.ONLINE, "own_choice", stamp=STAMP)

    assert event is not None
    assert (event.previous, event.state, event.since) == ("offline", "online", NOW)
    assert event.version == changed.state_version == 1
    assert change_state(changed, AgentState.ONLINE, "own_choice", stamp=STAMP)[1] is None


def test_an_agent_lost_twice_still_knows_what_to_return_to() -> None:
    lost, _ = change_state(
        _agent(state=AgentState.BUSY), AgentState.OFFLINE, "heartbeat_lost", stamp=STAMP
    )
    again, event = change_state(lost, AgentState.OFFLINE, "heartbeat_lost", stamp=STAMP)

    assert again.resume_state is AgentState.BUSY
    assert event is None
    chosen, _ = change_state(lost, AgentState.OFFLINE, "own_choice", stamp=STAMP)
    assert chosen.resume_state is None


_CHOICES = st.tuples(
    st.sampled_from(["own_choice", "supervisor", "heartbeat_lost", "returned"]),
    st.sampled_from(AgentState),
)


@given(st.lists(_CHOICES, max_size=30))
def test_nothing_but_a_leader_lifts_what_a_leader_suspended(
    steps: list[tuple[StateReason, AgentState]],
) -> None:
    agent, stands = _agent(), False
    for reason, wished in steps:
        state = {"heartbeat_lost": AgentState.OFFLINE, "returned": agent.resume_state}.get(
            reason, wished
        )
        if state is None:
            continue  # nobody comes back who was not lost
        if reason == "supervisor":
            stands = state is AgentState.SUSPENDED
        try:
            agent, _ = change_state(agent, state, reason, stamp=STAMP, leader=WANG)
        except SuspendedByLeader:
            assert stands
        assert (agent.suspended_by is not None) is stands
        assert not (stands and agent.state in AT_DESK)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2026, 1, 1)))  # noqa: DTZ001 - hypothesis wants it naive
def test_a_revocation_ends_every_token_of_its_second(moment: datetime) -> None:
    issued_at_most = moment.replace(microsecond=0)

    assert issued_at_most < revoked_at(moment) <= moment + timedelta(seconds=1)


def test_a_masked_buyer_shows_neither_name_nor_number_nor_street() -> None:
    buyer = Buyer(
        BUYER, ShopId("s"), "陈小平", phone="13812348000", address="浙江省杭州市西湖区文三路"
    )
    masked = buyer.masked()

    assert (masked.name, masked.phone, masked.address) == (
        "陈*平", "138****8000", "浙江省杭州市西湖区***",
    )  # fmt: skip
    assert Buyer(BUYER, ShopId("s"), "").masked().phone == ""


@pytest.mark.parametrize("text", ["", "x", "../..", "1;--", "é", "0" * 33])
def test_what_cannot_be_an_id_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        known_form(text)
