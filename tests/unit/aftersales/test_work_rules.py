"""The rules of a work item: an attempt opens once, and people have their time for it."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from contracts.aftersales import WorkKind
from contracts.people import OrderId, PersonId, ShopId
from services.aftersales.work import domain
from services.aftersales.work.playbook import WorkPlaybook

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
DUE = AT + timedelta(hours=48)

PLAYBOOK = WorkPlaybook(
    address_check_within=timedelta(minutes=30),
    address_check_again_after=timedelta(hours=2),
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


def test_a_second_address_check_is_due_later_than_the_first() -> None:
    first, second = (PLAYBOOK.check_address_by(AT, attempt=number) for number in (1, 2))
    assert first < second
