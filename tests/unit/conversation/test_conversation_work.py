"""Who holds a work item: an agent, a senior beside him; what is told when one of them leaves."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contracts.people import OrderId, PersonId, Role, ShopId, WorkId
from kit.ids import SequenceIds
from services.conversation.domain import Stamp
from services.conversation.routing.domain import WorkItem, add_senior, assign_work, leave_work

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 11, tzinfo=UTC)
STAMP = Stamp(NOW, SequenceIds())
AGENT, SENIOR, OTHER = PersonId("agent"), PersonId("senior"), PersonId("other")
WAITING = WorkItem(
    id=WorkId("w"),
    shop_id=ShopId("s"),
    kind="verify_address",
    subject_kind="order",
    subject_id="o",
    order_id=OrderId("o"),
    buyer_id=PersonId("b"),
    role=None,
    skill_group_id=None,
    due_at=NOW,
    waiting_since=NOW,
    level=1,
)
HELD = replace(WAITING, waiting_since=None, agent_id=AGENT, version=1)
BY_TWO = replace(HELD, senior_id=SENIOR, version=2)


def test_work_counts_its_assignments() -> None:
    first, told = assign_work(replace(WAITING, level=0), AGENT, STAMP)
    waiting, nothing = leave_work(first, {AGENT}, STAMP)
    again, second = assign_work(waiting, OTHER, STAMP)

    assert (told.version, nothing, second.version) == (1, None, 2)
    assert (told.previous_agent_id, second.previous_agent_id) == (None, AGENT)
    assert (told.subject, told.level, told.also) == (WAITING.subject, 0, None)
    assert (first.waiting_since, again.waiting_since) == (None, None)


def test_nobody_loses_what_is_settled() -> None:
    over = replace(BY_TWO, settled=True)

    assert leave_work(over, {AGENT, SENIOR}, STAMP) == (over, None)
    assert not replace(HELD, settled=True).wants_senior


def test_a_senior_comes_beside_the_holder_who_keeps_it() -> None:
    item, told = add_senior(HELD, SENIOR, STAMP)

    assert (item.agent_id, item.senior_id, item.version) == (AGENT, SENIOR, 2)
    assert (told.agent_id, told.also, told.level, told.version) == (AGENT, SENIOR, 1, 2)
    assert told.previous_agent_id is None
    assert (HELD.wants_senior, item.wants_senior) == (True, False)


def test_nobody_is_added_to_what_nobody_holds() -> None:
    assert not WAITING.wants_senior
    with pytest.raises(ValueError, match="nobody holds"):
        add_senior(WAITING, SENIOR, STAMP)


def test_a_senior_comes_to_nothing_that_names_another_role() -> None:
    assert replace(HELD, role=Role.SENIOR).wants_senior
    assert not replace(HELD, role=Role.SUPERVISOR).wants_senior


def test_what_is_told_twice_of_a_version_has_one_id_and_another_version_another() -> None:
    first, again = (add_senior(HELD, SENIOR, STAMP)[1] for _ in range(2))
    later = add_senior(replace(HELD, version=5), SENIOR, STAMP)[1]

    assert first == again
    assert later.id != first.id


def test_without_its_agent_it_waits_and_the_senior_stays() -> None:
    item, told = leave_work(BY_TWO, {AGENT}, STAMP)

    assert told is None
    assert (item.agent_id, item.senior_id, item.waiting_since) == (None, SENIOR, NOW)
    given, told = assign_work(item, OTHER, STAMP)
    assert (told.agent_id, told.also, told.previous_agent_id) == (OTHER, SENIOR, AGENT)
    assert given.version == 3


def test_without_its_senior_the_agent_has_it_alone_and_is_told() -> None:
    item, told = leave_work(BY_TWO, {SENIOR}, STAMP)

    assert told is not None
    assert (told.agent_id, told.also, told.version) == (AGENT, None, 3)
    assert item.wants_senior


def test_without_both_it_waits_and_nobody_is_told() -> None:
    item, told = leave_work(BY_TWO, {AGENT, SENIOR}, STAMP)

    assert told is None
    assert (item.agent_id, item.senior_id, item.waiting_since) == (None, None, NOW)


def test_whom_it_does_not_concern_changes_nothing() -> None:
    assert leave_work(BY_TWO, {OTHER}, STAMP) == (BY_TWO, None)


def test_a_senior_who_loses_what_waits_is_told_of_by_the_next_assignment() -> None:
    waiting, _ = leave_work(BY_TWO, {AGENT}, STAMP)
    item, told = leave_work(waiting, {SENIOR}, STAMP)

    assert (item.senior_id, told) == (None, None)


def test_a_senior_who_gets_it_himself_is_beside_nobody() -> None:
    waiting, _ = leave_work(BY_TWO, {AGENT}, STAMP)

    item, told = assign_work(waiting, SENIOR, STAMP)

    assert (told.agent_id, told.also) == (SENIOR, None)
    assert item.wants_senior
