"""Overload levels off: who is refused, when to come back, and that nobody is passed by (ADR 44)."""

import random
from collections import deque
from heapq import heappop, heappush
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from kit.clock import ManualClock
from kit.metrics import Metrics
from services.gateway.frames.refusals import encoded_problem
from services.gateway.inbound.shedder import COME_BACK_MS, LoadShedder

pytestmark = pytest.mark.unit

AFTER_S: Final = 0.5
BELOW_S: Final = 0.25


class Gateway:
    """A shedder on a clock that the test moves."""

    def __init__(self, seed: int = 1) -> None:
        self.clock, self.metrics = ManualClock(), Metrics()
        self.shedder = LoadShedder(
            clock=self.clock, metrics=self.metrics, chance=random.Random(seed), after_s=AFTER_S
        )

    def admits(self, age: float | None, *, partition: int = 0, returning: bool = False) -> bool:
        """Ask for a send while the oldest before it is `age` seconds old."""
        oldest = None if age is None else self.clock.monotonic() - age
        return self.shedder.admits(partition, oldest, returning=returning)


@pytest.mark.parametrize("age", [None, 0.0, 0.3, 0.49])
def test_a_send_is_taken_while_answers_come_in_time(age: float | None) -> None:
    gateway = Gateway()
    assert gateway.admits(age)
    assert gateway.admits(age, returning=True)


def test_over_the_limit_nobody_is_taken_and_then_who_was_refused_before_comes_first() -> None:
    gateway = Gateway()
    assert not gateway.admits(0.6, returning=True)
    assert not gateway.admits(0.6)

    assert not gateway.admits(0.4)
    assert gateway.admits(0.4, returning=True)
    assert not gateway.admits(BELOW_S)

    assert gateway.admits(0.2)
    assert gateway.admits(0.4)


def test_newcomers_are_taken_again_once_nothing_is_out() -> None:
    gateway = Gateway()
    assert not gateway.admits(0.6)
    assert gateway.admits(None)
    assert gateway.admits(0.4)


def test_a_partition_that_is_stuck_keeps_nobody_out_of_the_others() -> None:
    gateway = Gateway()
    assert not gateway.admits(60.0, partition=3)
    assert gateway.admits(0.1, partition=4)
    assert not gateway.admits(0.4, partition=3)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.none() | st.floats(0, 1, allow_nan=False),
            st.booleans(),
        )
    )
)
def test_any_order_of_questions_is_answered_by_the_rule(
    asked: list[tuple[int, float | None, bool]],
) -> None:
    gateway, closed = Gateway(), dict.fromkeys(range(3), False)
    for partition, seconds, returning in asked:
        age = None if seconds is None else seconds if seconds != AFTER_S else 0.0
        if age is None or age < BELOW_S:
            closed[partition] = False
        elif age > AFTER_S:
            closed[partition] = True
        expected = age is None or (age <= AFTER_S and (returning or not closed[partition]))
        assert gateway.admits(age, partition=partition, returning=returning) is expected


def test_a_refusal_is_a_retry_that_says_when_to_come_back_and_that_nothing_was_done() -> None:
    gateway = Gateway()
    problems = [msgspec.json.decode(encoded_problem(gateway.shedder.refusal())) for _ in range(200)]
    waits = [problem["retry_after_ms"] for problem in problems]

    assert {problem["code"] for problem in problems} == {"retry"}
    assert {problem["taken"] for problem in problems} == {False}
    assert min(waits) >= COME_BACK_MS[0]
    assert max(waits) <= COME_BACK_MS[1]
    assert len(set(waits)) > 100
    assert gateway.metrics.registry.get_sample_value("peakdesk_sends_shed_total") == 200


def test_a_second_of_refusals_is_one_line_in_the_log() -> None:
    gateway = Gateway()
    gateway.admits(0.6, partition=7)
    with capture_logs() as lines:
        for _ in range(10):
            gateway.shedder.refusal()
        gateway.clock.advance(1.0)
        gateway.shedder.refusal()
    assert [line["sends"] for line in lines] == [1, 10]
    assert [line["partitions"] for line in lines] == [[7], [7]]


@pytest.mark.parametrize(("times", "most_refusals"), [(1.5, 10), (2.0, 10), (5.0, 40)])
def test_what_arrives_in_overload_levels_off_and_nobody_is_passed_by(
    times: float, most_refusals: int
) -> None:
    """A queue that answers so many a second; whoever is refused comes back when he is told.

    Each has one send at a time, as a client holds back what follows a refused one.
    """
    per_s, clients, seconds, step_s = 400, round(400 * times), 30, 0.005
    gateway = Gateway()
    out: deque[float] = deque()
    coming = [(number / clients, number, 0) for number in range(clients)]
    served, most, room = [0] * clients, 0, 0.0
    while gateway.clock.monotonic() < seconds:
        now = gateway.clock.monotonic()
        room = min(room + per_s * step_s, len(out))
        while room >= 1:
            out.popleft()
            room -= 1
        while coming and coming[0][0] <= now:
            _, number, refusals = heappop(coming)
            oldest = out[0] if out else None
            if gateway.shedder.admits(0, oldest, returning=refusals > 0):
                out.append(now)
                served[number] += 1
                heappush(coming, (now + 1.0, number, 0))  # what he says next
            else:
                most = max(most, refusals + 1)
                wait_ms = gateway.shedder.refusal().extras["retry_after_ms"]
                assert isinstance(wait_ms, int)
                heappush(coming, (now + wait_ms / 1_000, number, refusals + 1))
        gateway.clock.advance(step_s)

    assert sum(served) - len(out) >= 0.9 * per_s * seconds
    assert min(served) >= 0.3 * sum(served) / clients or times > 2
    assert most <= most_refusals
