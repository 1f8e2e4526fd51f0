"""Buckets and attempts (attack table, rows 58 and 61)."""

import pytest

from kit.clock import ManualClock
from kit.errors import TooMany
from kit.web.limits import AttemptLimiter, KeyedBuckets, TokenBucket

pytestmark = pytest.mark.unit


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    clock = ManualClock()
    bucket = TokenBucket(20, 40, clock)
    assert sum(bucket.take() for _ in range(100)) == 40
    assert bucket.wait_s() == pytest.approx(0.05)
    clock.advance(1)
    assert sum(bucket.take() for _ in range(100)) == 20
    clock.advance(3600)
    assert sum(bucket.take() for _ in range(100)) == 40


def test_one_key_does_not_pay_for_another() -> None:
    buckets = KeyedBuckets(1, 2, clock=ManualClock())
    buckets.spend("a")
    buckets.spend("a")
    with pytest.raises(TooMany) as caught:
        buckets.spend("a")
    assert caught.value.retry_after == 1
    buckets.spend("b")


def test_buckets_are_bounded_and_forget_the_longest_unused() -> None:
    buckets = KeyedBuckets(0.001, 1, clock=ManualClock(), keys_limit=2)
    buckets.spend("a")
    buckets.spend("b")
    with pytest.raises(TooMany):
        buckets.spend("a")  # used again, so "b" is the one unused longest
    buckets.spend("c")
    buckets.spend("b")
    assert len(buckets._buckets) == 2


def test_a_key_waits_after_too_many_failures() -> None:
    clock = ManualClock()
    limiter = AttemptLimiter(3, 60, clock=clock)
    for _ in range(3):
        limiter.check("a")
        limiter.failed("a")
    clock.advance(20)
    with pytest.raises(TooMany) as caught:
        limiter.check("a")
    assert caught.value.retry_after == 40
    limiter.check("b")
    clock.advance(40)
    limiter.check("a")
    limiter.failed("a")
    limiter.check("a")


def test_success_forgets_the_failures() -> None:
    limiter = AttemptLimiter(2, 60, clock=ManualClock())
    limiter.failed("a")
    limiter.succeeded("a")
    limiter.failed("a")
    limiter.check("a")


def test_remembered_failures_are_bounded() -> None:
    limiter = AttemptLimiter(1, 60, clock=ManualClock(), keys_limit=10)
    for number in range(1_000):
        limiter.failed(str(number))
    assert len(limiter._failures) == 10
