"""The rules of an order: every command in every state, and the invariant of the interlocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.orders import (
    AddressResult,
    OrderAddressChecked,
    OrderClosed,
    OrderHeld,
    OrderPaid,
    OrderState,
)
from contracts.people import OrderId, PersonId, ShopId
from services.orders.trade import domain, interlocks
from services.orders.trade.domain import (
    ADDRESS_ATTEMPTS,
    IllegalTransition,
    Interlocked,
    Lock,
    LockKind,
    Order,
    OrderDiffers,
    Outcome,
    TooEarly,
)

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
AGAIN_AFTER = timedelta(hours=2)
BY = PersonId("agent")
ADDRESS = Lock(LockKind.ADDRESS_UNVERIFIED, "order")
REFUND = Lock(LockKind.REFUND_OPEN, "case")


def order(state: OrderState, *locks: Lock, **facts: Any) -> Order:
    paid = 0 if state is OrderState.PLACED else 100
    made = Order(
        id=OrderId("order"),
        shop_id=ShopId("shop"),
        buyer_id=PersonId("buyer"),
        state=state,
        version=5,
        paid_fen=paid,
        locks=frozenset(locks),
    )
    return replace(made, **facts)


def pay(of: Order, fen: int = 100) -> Outcome:
    return domain.pay(of, external_id="tb-1", paid_fen=fen, paid_at=AT, at=AT)


def check(of: Order, result: AddressResult = AddressResult.VERIFIED) -> Outcome:
    at = of.ask_again_at or AT
    return domain.check_address(of, result, by=BY, at=at, again_after=AGAIN_AFTER).then(
        partial(interlocks.release_if_clear, at=at)
    )


COMMANDS = {
    "check": check,
    "print": lambda of: domain.print_label(of, by=BY, at=AT),
    "close": lambda of: domain.close(of, by=BY, reason="impulse", at=AT),
}
ALLOWED = {
    ("check", OrderState.PAID): OrderState.RELEASED,
    ("print", OrderState.RELEASED): OrderState.PRINTED,
    ("close", OrderState.PLACED): OrderState.CLOSED,
}


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_moves_the_order_or_is_refused(command: str, state: OrderState) -> None:
    locks = (ADDRESS,) if (command, state) == ("check", OrderState.PAID) else ()
    run = partial(COMMANDS[command], order(state, *locks))

    if expected := ALLOWED.get((command, state)):
        assert run().order.state is expected
    else:
        with pytest.raises(IllegalTransition) as refused:
            run()
        assert refused.value.status == 409


def test_a_payment_moves_a_placed_order_and_tells_of_it() -> None:
    outcome = pay(order(OrderState.PLACED))

    assert outcome.order.state is OrderState.PAID
    (event,) = outcome.events
    assert isinstance(event, OrderPaid)
    assert (event.paid_fen, event.version, event.key) == (100, 6, "order")


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.PLACED}))
def test_a_repeated_payment_changes_nothing(state: OrderState) -> None:
    before = order(state)
    assert pay(before) == Outcome(before)


@pytest.mark.parametrize("state", sorted(set(OrderState) - {OrderState.PLACED}))
def test_a_payment_of_another_amount_is_refused(state: OrderState) -> None:
    with pytest.raises(OrderDiffers):
        pay(order(state), 99)


def test_an_order_closed_unpaid_takes_no_payment() -> None:
    with pytest.raises(IllegalTransition):
        pay(order(OrderState.CLOSED, paid_fen=0))


def test_nobody_answered_leaves_the_order_locked_until_the_last_attempt() -> None:
    asked = order(OrderState.PAID, ADDRESS)
    for attempt in range(1, ADDRESS_ATTEMPTS + 1):
        outcome = check(asked, AddressResult.NO_ANSWER)
        told = outcome.events[0]
        assert isinstance(told, OrderAddressChecked)
        assert told.final is (attempt == ADDRESS_ATTEMPTS)
        asked = outcome.order
    assert asked.state is OrderState.RELEASED


def test_two_clicks_are_no_silence() -> None:
    asked = check(order(OrderState.PAID, ADDRESS), AddressResult.NO_ANSWER).order
    again = partial(domain.check_address, asked, by=BY, again_after=AGAIN_AFTER)
    early = AT + AGAIN_AFTER - timedelta(microseconds=1)

    for at in (AT, early):
        with pytest.raises(TooEarly) as refused:
            again(AddressResult.NO_ANSWER, at=at)
        assert (refused.value.status, refused.value.extras) == (
            409,
            {"at": "2026-11-11T02:00:00.000Z"},
        )
    in_time = again(AddressResult.NO_ANSWER, at=AT + AGAIN_AFTER)
    assert in_time.order.locks == frozenset()


def test_a_buyer_who_answers_meanwhile_is_believed_at_once() -> None:
    asked = check(order(OrderState.PAID, ADDRESS), AddressResult.NO_ANSWER).order
    answered = domain.check_address(
        asked, AddressResult.VERIFIED, by=BY, at=AT, again_after=AGAIN_AFTER
    )
    (told,) = answered.events
    assert isinstance(told, OrderAddressChecked)
    assert (told.final, told.ask_again_at, answered.order.ask_again_at) == (True, None, None)
    assert answered.order.locks == frozenset()


def test_nobody_answered_says_when_he_is_asked_again() -> None:
    (told,) = check(order(OrderState.PAID, ADDRESS), AddressResult.NO_ANSWER).events
    assert isinstance(told, OrderAddressChecked)
    assert told.ask_again_at == AT + AGAIN_AFTER


def test_an_address_is_checked_once() -> None:
    with pytest.raises(IllegalTransition):
        check(check(order(OrderState.PAID, ADDRESS)).order)


def test_a_verified_address_does_not_release_an_order_with_an_open_refund() -> None:
    outcome = check(order(OrderState.PAID, ADDRESS, REFUND))

    assert outcome.order.state is OrderState.PAID
    assert [event.type for event in outcome.events] == ["order.address_checked.v1"]


@pytest.mark.parametrize("state", OrderState)
def test_an_interlocked_order_is_never_printed(state: OrderState) -> None:
    with pytest.raises(Interlocked) as refused:
        domain.print_label(order(state, REFUND), by=BY, at=AT)
    assert refused.value.extras["interlocks"] == ["refund_open"]


def test_a_refund_takes_the_release_back_and_its_rejection_gives_it_again() -> None:
    held = interlocks.set_lock(order(OrderState.RELEASED), REFUND, at=AT)
    assert [type(event) for event in held.events] == [OrderHeld]
    assert held.order.state is OrderState.PAID

    again = interlocks.clear_lock(held.order, REFUND, at=AT)
    assert again.order.state is OrderState.RELEASED


@pytest.mark.parametrize("state", [OrderState.PRINTED, OrderState.CLOSED])
def test_a_lock_comes_too_late_for_an_order_that_is_past_printing(state: OrderState) -> None:
    before = order(state)
    assert interlocks.set_lock(before, REFUND, at=AT) == Outcome(before)


def test_a_full_refund_closes_the_order_and_a_part_of_it_does_not() -> None:
    part = domain.refund(order(OrderState.PAID), 40, by=BY, at=AT)
    assert (part.order.state, part.order.refunded_fen, part.events) == (OrderState.PAID, 40, ())

    full = domain.refund(part.order, 60, by=BY, at=AT)
    assert full.order.state is OrderState.CLOSED
    assert [type(event) for event in full.events] == [OrderClosed]


def test_a_printed_order_stays_printed_when_its_money_goes_back() -> None:
    refunded = domain.refund(order(OrderState.PRINTED), 100, by=BY, at=AT)
    assert refunded.order.state is OrderState.PRINTED


def test_an_events_id_is_the_same_however_often_it_is_told() -> None:
    first, again = pay(order(OrderState.PLACED)), pay(order(OrderState.PLACED))
    assert [event.id for event in first.events] == [event.id for event in again.events]


STEPS: dict[str, Any] = {
    "pay": lambda of: pay(of).then(interlocks.on_payment) if not of.paid_fen else Outcome(of),
    "verified": check,
    "no_answer": lambda of: check(of, AddressResult.NO_ANSWER),
    "remark": lambda of: domain.remark(of, remark_id="r", by=BY, at=AT),
    "refund opens": lambda of: interlocks.set_lock(of, REFUND, at=AT),
    "refund rejected": lambda of: interlocks.clear_lock(of, REFUND, at=AT),
    "print": COMMANDS["print"],
    "close": COMMANDS["close"],
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=30))
def test_whatever_happens_a_released_order_is_clear_and_versions_rise_by_one(
    steps: list[str],
) -> None:
    now = replace(order(OrderState.PLACED), version=1)
    told = [1]
    for step in steps:
        try:
            outcome = STEPS[step](now)
        except (IllegalTransition, Interlocked):
            continue
        now = outcome.order
        told += [event.version for event in outcome.events]

        assert not (now.locks and now.state in {OrderState.RELEASED, OrderState.PRINTED})
        assert now.state is not OrderState.PAID or now.locks, "a clear paid order is released"
    assert told == list(range(1, now.version + 1))


def test_time_in_events_is_the_time_given() -> None:
    later = AT + timedelta(seconds=1)
    (event,) = domain.remark(order(OrderState.PAID), remark_id="r", by=BY, at=later).events
    assert event.time == later
