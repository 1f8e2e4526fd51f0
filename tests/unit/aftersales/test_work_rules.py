"""The rules of a work item: an attempt opens once, and people have their time for it."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from contracts.people import OrderId, PersonId, ShopId
from contracts.work import WorkKind
from services.aftersales.work import domain
from services.aftersales.work.playbook import LEVELS, WorkPlaybook

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
DUE = AT + timedelta(hours=48)

PLAYBOOK = WorkPlaybook(address_check_within=timedelta(minutes=30))

ITEM = domain.work_item(
    OrderId("order"),
    WorkKind.VERIFY_ADDRESS,
    1,
    shop_id=ShopId("shop"),
    buyer_id=PersonId("buyer"),
)


def test_a_work_items_id_and_events_are_derived_so_that_an_attempt_opens_once() -> None:
    make = partial(
        domain.work_item,
        OrderId("order"),
        WorkKind.VERIFY_ADDRESS,
        shop_id=ShopId("shop"),
        buyer_id=PersonId("buyer"),
    )
    assert make(1).id == make(1).id
    assert make(1).id != make(2).id
    opened, again = (domain.open_work(make(1), at=AT, due_at=DUE) for _ in range(2))
    assert opened.id == again.id
    assert opened.key == opened.work_id == make(1).id
    assert domain.settle_work(make(1), "verified", at=AT).id != opened.id


def test_the_next_attempt_is_another_item_on_the_same_order() -> None:
    following = domain.next_attempt(ITEM)
    assert (following.attempt, following.order_id) == (2, ITEM.order_id)
    assert following.id != ITEM.id
    assert following == domain.next_attempt(ITEM)


def test_an_escalation_raises_the_level_and_tells_it_once_under_one_id() -> None:
    raised, told = domain.escalate(ITEM, at=AT, due_at=DUE)
    again = domain.escalate(ITEM, at=DUE, due_at=DUE)[1]
    higher = domain.escalate(raised, at=AT, due_at=DUE)[1]

    assert (told.level, told.owner_version, told.due_at) == (1, 2, DUE)
    assert (higher.level, higher.owner_version) == (2, 3)
    assert told.id == again.id != higher.id


def test_work_escalates_as_often_as_there_are_levels_with_a_pause_between() -> None:
    assert PLAYBOOK.check_address_by(AT) == AT + timedelta(minutes=30)
    nexts = [PLAYBOOK.escalate_at(AT, level=level) for level in range(1, LEVELS + 1)]
    assert nexts == [AT + timedelta(minutes=30)] * (LEVELS - 1) + [None]
