"""The rules of a refund case: every command in every state, and money that always adds up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.aftersales import CaseRefunded, CaseRequested, CaseReviewed, CaseState
from contracts.people import CaseId, OrderId, PersonId, Role, ShopId
from services.aftersales.cases import domain
from services.aftersales.cases.domain import (
    OPEN,
    AboveLimit,
    AbovePaid,
    Case,
    Decision,
    IllegalTransition,
    Outcome,
    Payment,
)
from services.aftersales.cases.playbook import CasePlaybook

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
DUE = AT + timedelta(hours=48)
BY = PersonId("staff")

PLAYBOOK = CasePlaybook(
    review_within=timedelta(hours=48),
    refund_within=timedelta(hours=24),
    warn_before=timedelta(hours=4),
)


def payment(paid: int = 100, reserved: int = 0, refunded: int = 0) -> Payment:
    return Payment(OrderId("order"), ShopId("shop"), PersonId("buyer"), paid, reserved, refunded)


def case(state: CaseState = CaseState.REQUESTED, amount: int = 60) -> Case:
    return Case(
        id=CaseId("case"),
        shop_id=ShopId("shop"),
        order_id=OrderId("order"),
        buyer_id=PersonId("buyer"),
        kind="refund",
        state=state,
        version=1,
        amount_fen=amount,
        buyer_reason="尺码偏大",
    )


def request(of: Case, paid: Payment) -> Outcome:
    return domain.request(of, paid, at=AT, due_at=DUE)


def review(of: Case, paid: Payment, decision: Decision = Decision.APPROVE) -> Outcome:
    return domain.review(of, paid, decision, agreed_reason=None, by=BY, at=AT, due_at=DUE)


def refund(of: Case, paid: Payment) -> Outcome:
    return domain.refund(of, paid, by=BY, at=AT)


COMMANDS: dict[str, Callable[[Case, Payment], Outcome]] = {
    "approve": review,
    "reject": partial(review, decision=Decision.REJECT),
    "refund": refund,
}
ALLOWED = {
    ("approve", CaseState.REQUESTED): CaseState.REVIEWED,
    ("reject", CaseState.REQUESTED): CaseState.REJECTED,
    ("refund", CaseState.REVIEWED): CaseState.REFUNDED,
}


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_moves_the_case_or_is_refused(command: str, state: CaseState) -> None:
    run = partial(COMMANDS[command], case(state), payment(reserved=60))

    if expected := ALLOWED.get((command, state)):
        outcome = run()
        assert outcome.case.state is expected
        assert outcome.case.version == 2
        assert (outcome.due_at is not None) is (expected in OPEN)
    else:
        with pytest.raises(IllegalTransition) as refused:
            run()
        assert refused.value.status == 409


def test_a_request_reserves_its_amount_and_tells_of_its_deadline() -> None:
    outcome = request(case(), payment())

    assert outcome.payment == payment(reserved=60)
    (event,) = outcome.events
    assert isinstance(event, CaseRequested)
    assert (event.amount_fen, event.buyer_reason, event.due_at) == (60, "尺码偏大", DUE)


@pytest.mark.parametrize("paid", [payment(59), payment(reserved=41), payment(refunded=41)])
def test_a_request_above_what_is_left_is_refused(paid: Payment) -> None:
    with pytest.raises(AbovePaid) as refused:
        request(case(), paid)
    assert refused.value.extras["left_fen"] == 59


def test_a_rejection_frees_the_reserved_money() -> None:
    assert review(case(), payment(reserved=60), Decision.REJECT).payment == payment()


def test_a_refund_turns_reserved_into_refunded_money() -> None:
    outcome = refund(case(CaseState.REVIEWED), payment(reserved=60))

    assert outcome.payment == payment(refunded=60)
    (event,) = outcome.events
    assert isinstance(event, CaseRefunded)
    assert event.amount_fen == 60


def test_the_agreed_reason_stands_beside_the_buyers_own() -> None:
    outcome = domain.review(
        case(),
        payment(reserved=60),
        Decision.APPROVE,
        agreed_reason="七天无理由",
        by=BY,
        at=AT,
        due_at=DUE,
    )

    assert (outcome.case.buyer_reason, outcome.case.agreed_reason) == ("尺码偏大", "七天无理由")
    (event,) = outcome.events
    assert isinstance(event, CaseReviewed)
    assert event.agreed_reason == "七天无理由"


@pytest.mark.parametrize(
    ("amount", "role", "allowed"),
    [
        (100, Role.AFTERSALES, True),
        (101, Role.AFTERSALES, False),
        (101, Role.SUPERVISOR, True),
    ],
)
def test_an_amount_above_the_limit_needs_a_supervisor(
    amount: int, role: Role, *, allowed: bool
) -> None:
    if allowed:
        domain.refuse_above_limit(amount, role, 100)
    else:
        with pytest.raises(AboveLimit):
            domain.refuse_above_limit(amount, role, 100)


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["open", *COMMANDS])), max_size=40))
def test_whatever_happens_refunds_and_reservations_never_sum_above_what_was_paid(
    steps: list[tuple[int, str]],
) -> None:
    money = payment(100)
    cases: dict[int, Case] = {}
    for number, step in steps:
        try:
            if step == "open" and number not in cases:
                outcome = request(case(amount=10 + 13 * number), money)
            elif number in cases and step in COMMANDS:
                outcome = COMMANDS[step](cases[number], money)
            else:
                continue
        except (AbovePaid, IllegalTransition):
            continue
        cases[number], money = outcome.case, outcome.payment

        amounts = dict.fromkeys(CaseState, 0)
        for known in cases.values():
            amounts[known.state] += known.amount_fen
        assert money.refunded_fen == amounts[CaseState.REFUNDED]
        assert money.reserved_fen == sum(amounts[state] for state in OPEN)
        assert money.reserved_fen + money.refunded_fen <= money.paid_fen


def test_a_warning_raises_the_version_and_names_the_state() -> None:
    warned, event = domain.warn(replace(case(), version=3), due_at=DUE, at=AT)
    assert (warned.version, event.version, event.state) == (4, 4, CaseState.REQUESTED)


@pytest.mark.parametrize(("state", "hours"), [(CaseState.REQUESTED, 48), (CaseState.REVIEWED, 24)])
def test_every_open_state_has_its_due_time(state: CaseState, hours: int) -> None:
    assert PLAYBOOK.due(state, AT) == AT + timedelta(hours=hours)


def test_a_warning_comes_before_the_deadline_but_not_at_once() -> None:
    assert PLAYBOOK.warn_at(AT, AT + timedelta(hours=48)) == AT + timedelta(hours=44)
    assert PLAYBOOK.warn_at(AT, AT + timedelta(hours=2)) == AT + timedelta(hours=1)
