"""A row of an older backup follows the log to where every decision had brought it (H51)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.conversation import ConversationOpened, LaterLifecycle, Lifecycle
from contracts.people import (
    ConversationId,
    ConversationState,
    MessageId,
    PersonId,
    ShopId,
    SkillGroupId,
    Stage,
)
from kit.errors import AppError
from kit.ids import SequenceIds
from services.conversation.archive.contacts import is_settled
from services.conversation.archive.domain import Contact
from services.conversation.conversations.domain import (
    Conversation,
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
from services.conversation.conversations.elsewhere import tell_contacted, tell_late
from services.conversation.conversations.following import closed_for, follow, unknown_here
from services.conversation.conversations.handing import HandOver, transfer
from services.conversation.domain import Stamp

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 11, tzinfo=UTC)
IDS = SequenceIds()
CHEN, WANG, BUYER = PersonId("chen"), PersonId("wang"), PersonId("buyer")
PRE, AFTER = SkillGroupId("pre"), SkillGroupId("after")
HOME = ConversationId("home")

Step = Callable[[Conversation, Stamp], Outcome]


def _requeued(one: Conversation, stamp: Stamp) -> Outcome:
    return announce(requeue(one, stamp).conversation, "all_full", stamp)


def _to_group(one: Conversation, stamp: Stamp) -> Outcome:
    return transfer(one, HandOver(None, AFTER, "交接", CHEN), stamp)


def _to_wang(one: Conversation, stamp: Stamp) -> Outcome:
    return transfer(one, HandOver(WANG, PRE, "交接", CHEN), stamp)


def _late(one: Conversation, stamp: Stamp) -> Outcome:
    return tell_late(one, MessageId("m"), replace(one, id=HOME), stamp=stamp)


def _contacted(one: Conversation, stamp: Stamp) -> Outcome:
    return tell_contacted(one, MessageId("m"), (HOME, NOW), stamp=stamp)


STEPS: Final[tuple[Step, ...]] = (
    lambda one, stamp: assign(one, CHEN, "least_loaded", stamp=stamp),
    lambda one, stamp: assign(one, WANG, "overflow", stamp=stamp),
    lambda one, stamp: announce(one, "all_full", stamp),
    _requeued,
    _to_group,
    _to_wang,
    _late,
    _contacted,
    lambda one, stamp: close(one, CHEN, "", stamp=stamp),
    lambda one, stamp: close(one, PersonId("system"), "idle", stamp=stamp, sweep="idle"),
    lambda one, stamp: reopen(one, BUYER, "buyer_message", stamp=stamp),
    lambda one, stamp: move_stage(one, Stage.BARGAIN, stamp),
    lambda one, stamp: rate(one, 5, stamp),
)


def played(steps: list[int]) -> tuple[list[Conversation], list[Lifecycle]]:
    """Return where a conversation stood after each step that was allowed, and what was told."""
    new = Conversation(
        id=ConversationId("c"),
        shop_id=ShopId("shop"),
        buyer_id=BUYER,
        skill_group_id=PRE,
        state=ConversationState.QUEUED,
        opened_at=NOW,
        subject="羽绒服",
    )
    outcome = open_conversation(new, Stamp(NOW, IDS))
    stood, told = [outcome.conversation], list(outcome.events)
    for number, step in enumerate(steps):
        try:
            outcome = STEPS[step](stood[-1], Stamp(NOW + timedelta(seconds=number + 1), IDS))
        except AppError:
            continue
        stood.append(outcome.conversation)
        told += outcome.events
    return stood, told


def known(conversation: Conversation) -> Conversation:
    """Leave out what the log does not tell: who is asked last."""
    return replace(conversation, avoided_agent_id=None)


@given(st.lists(st.integers(0, len(STEPS) - 1), max_size=20))
def test_a_row_made_from_the_log_stands_where_every_decision_had_brought_it(
    steps: list[int],
) -> None:
    stood, told = played(steps)
    opened = told[0]
    assert isinstance(opened, ConversationOpened)

    assert known(follow(unknown_here(opened), told)) == known(stood[-1])


@given(st.lists(st.integers(0, len(STEPS) - 1), max_size=20), st.data())
def test_a_row_of_any_moment_follows_to_the_last_one_and_what_it_has_changes_nothing(
    steps: list[int], data: st.DataObject
) -> None:
    stood, told = played(steps)
    old = data.draw(st.sampled_from(stood))

    assert known(follow(old, told)) == known(stood[-1])
    assert follow(stood[-1], told) == stood[-1]


def test_what_only_a_newer_release_knows_raises_the_version_alone() -> None:
    stood, _ = played([0])
    later = LaterLifecycle(
        id=IDS.new(),
        time=NOW,
        shop_id=ShopId("shop"),
        conversation_id=stood[-1].id,
        buyer_id=BUYER,
        version=9,
    )

    assert follow(stood[-1], [later]) == replace(stood[-1], version=9)


def test_of_two_open_ones_the_restored_one_is_closed() -> None:
    stood, _ = played([0])

    shut = closed_for(stood[-1])

    assert (shut.state, shut.agent_id, shut.swept) == (ConversationState.CLOSED, None, "restored")
    assert shut.version == stood[-1].version


def a_contact(offset: int) -> Contact:
    return Contact(MessageId("m"), ConversationId("c"), (1, offset), NOW)


def test_the_order_of_the_log_decides_what_a_person_had_before_him_when_he_closed() -> None:
    stood, _ = played([0, 8])

    assert is_settled(a_contact(4), stood[-1], {"c": (1, 5)})
    assert not is_settled(a_contact(6), stood[-1], {"c": (1, 5)})
    assert not is_settled(a_contact(6), stood[-1], {"c": (0, 7)})
    assert is_settled(a_contact(6), stood[-1], {}), "its close is not archived: it stands behind"
    assert not is_settled(a_contact(4), stood[1], {"c": (1, 5)}), "it is open"


def test_a_sweep_had_nothing_before_it() -> None:
    stood, _ = played([0, 9])

    assert not is_settled(a_contact(4), stood[-1], {"c": (1, 5)})
    assert not is_settled(a_contact(4), stood[-1], {})
