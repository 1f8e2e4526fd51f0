"""The wheel of waiting thresholds."""

import pytest

from contracts.people import ConversationId
from services.monitor.waiting.wheel import Due, Wheel

pytestmark = pytest.mark.unit


def due(waiting_ms: int, threshold_s: int) -> Due:
    return Due(ConversationId("c"), 7, waiting_ms, threshold_s)


def test_a_threshold_is_never_taken_before_its_moment() -> None:
    wheel = Wheel()
    wheel.put(due(500, 20))

    assert wheel.take(20_499) == []


def test_a_threshold_is_taken_once_within_a_second_of_its_moment() -> None:
    wheel = Wheel()
    wheel.put(due(500, 20))

    assert [d.due_ms for d in wheel.take(21_000)] == [20_500]
    assert wheel.take(60_000) == []
    assert len(wheel) == 0


def test_due_thresholds_come_oldest_first() -> None:
    wheel = Wheel()
    for threshold in (100, 20, 30):
        wheel.put(due(0, threshold))

    assert [d.threshold_s for d in wheel.take(100_000)] == [20, 30, 100]
