"""Each check of the ledger fails when the thing it watches for happens."""

from collections.abc import Sequence

import pytest

from rehearsal.ledger import Findings, Ledger, Outcome, Sent, Serial, Shown

pytestmark = pytest.mark.unit

TALK = "talk"


def a_run(
    *,
    buyer: Sequence[int] = (1, 2, 3),
    agent: Sequence[int] = (1, 2, 3),
    history: Sequence[int] = (1, 2, 3),
    refused: Sequence[int] = (),
) -> Findings:
    """Three acknowledged messages of one sender, and who showed which of them in which order."""
    ledger = Ledger()
    for number in (1, 2, 3):
        serial = Serial(number)
        ledger.invoke(Sent(serial, TALK, "buyer", due=float(number)))
        outcome = Outcome.FAIL if number in refused else Outcome.OK
        ledger.answer(serial, outcome, at=number + 0.01)
    for person, serials in (("buyer", buyer), ("agent", agent)):
        screen = ledger.screen(person, TALK)
        for number in serials:
            ledger.show(screen, _shown(number), at=number + 0.02)
    ledger.history[TALK] = [_shown(number) for number in history]
    return ledger.judge()


def _shown(number: int) -> Shown:
    return Shown(Serial(number), (0, number), f"m{number}")


def test_a_faithful_run_has_nothing_to_report() -> None:
    found = a_run()

    assert (found.lost, found.doubled, found.out_of_order, found.examples) == (0, 0, 0, ())


def test_a_message_missing_on_one_screen_is_lost() -> None:
    found = a_run(agent=(1, 3))

    assert found.lost == 1
    assert found.examples == ("lost: 2 is not on agent of talk",)


def test_a_message_missing_in_history_is_lost() -> None:
    assert a_run(history=(1, 2)).lost == 1


def test_a_message_missing_everywhere_is_lost_once() -> None:
    assert a_run(buyer=(1, 2), agent=(1, 2), history=(1, 2)).lost == 1


def test_a_message_shown_twice_is_doubled() -> None:
    assert a_run(buyer=(1, 2, 2, 3)).doubled == 1


def test_a_message_stored_twice_is_doubled() -> None:
    assert a_run(history=(1, 1, 2, 3)).doubled == 1


def test_a_senders_inverted_messages_are_out_of_order() -> None:
    found = a_run(buyer=(1, 3, 2), agent=(1, 3, 2), history=(1, 3, 2))

    assert found.out_of_order == 3


def test_a_screen_that_disagrees_with_history_is_out_of_order() -> None:
    ledger = Ledger()
    for number, sender in ((1, "buyer"), (2, "agent")):
        ledger.invoke(Sent(Serial(number), TALK, sender, due=0.0))
        ledger.answer(Serial(number), Outcome.OK, at=0.1)
    for number in (2, 1):
        ledger.show(ledger.screen("buyer", TALK), _shown(number), at=0.2)
    ledger.history[TALK] = [_shown(1), _shown(2)]

    assert ledger.judge().out_of_order == 1


def test_a_refused_message_that_is_stored_is_reported() -> None:
    assert a_run(refused=(2,)).stored_though_failed == 1


def test_a_late_refusal_does_not_take_an_acknowledgement_back() -> None:
    ledger = Ledger()
    ledger.invoke(Sent(Serial(1), TALK, "buyer", due=0.0))
    ledger.answer(Serial(1), Outcome.OK, at=0.1)

    ledger.answer(Serial(1), Outcome.FAIL, at=0.2, code="conflict")

    assert ledger.sent[Serial(1)].outcome is Outcome.OK
