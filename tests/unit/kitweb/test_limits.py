"""Buckets and attempts (attack table, rows 58 and 61)."""

import pytest

from kit.clock import ManualClock
from kit.errors import TooMany
from kit.web.limits import AttemptLimiter, KeyedBuckets, TokenBucket, origin_of

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


def _fail(limiter: AttemptLimiter, key: str) -> None:
    limiter.reserve(key)
    limiter.failed(key)


def test_a_key_waits_after_too_many_failures() -> None:
    clock = ManualClock()
    limiter = AttemptLimiter(3, 60, clock=clock)
    for _ in range(3):
        _fail(limiter, "a")
    clock.advance(20)
    with pytest.raises(TooMany) as caught:
        limiter.reserve("a")
    assert caught.value.retry_after == 40
    _fail(limiter, "b")
    clock.advance(40)
    _fail(limiter, "a")
    _fail(limiter, "a")


def test_attempts_side_by_side_are_no_more_than_in_a_row() -> None:
    limiter = AttemptLimiter(3, 60, clock=ManualClock())
    for _ in range(3):
        limiter.reserve("a")
    with pytest.raises(TooMany) as caught:
        limiter.reserve("a")
    assert caught.value.retry_after == 1
    limiter.give_back("a")
    limiter.reserve("a")
    for _ in range(3):
        limiter.failed("a")
    with pytest.raises(TooMany) as caught:
        limiter.reserve("a")
    assert caught.value.retry_after == 60


def test_an_attempt_given_back_is_no_failure() -> None:
    limiter = AttemptLimiter(2, 60, clock=ManualClock())
    for _ in range(10):
        limiter.reserve("a")
        limiter.give_back("a")
    assert not limiter.has_failed("a")
    assert not limiter._known
    _fail(limiter, "a")
    assert limiter.has_failed("a")


def test_what_is_under_way_outlives_the_window() -> None:
    clock = ManualClock()
    limiter = AttemptLimiter(1, 60, clock=clock)
    limiter.reserve("a")
    clock.advance(61)
    with pytest.raises(TooMany):
        limiter.reserve("a")
    limiter.failed("a")
    clock.advance(59)
    assert limiter.has_failed("a")
    clock.advance(1)
    assert not limiter.has_failed("a")


def test_success_forgets_the_failures() -> None:
    limiter = AttemptLimiter(2, 60, clock=ManualClock())
    _fail(limiter, "a")
    limiter.forget("a")
    _fail(limiter, "a")
    limiter.reserve("a")


def test_remembered_failures_are_bounded() -> None:
    limiter = AttemptLimiter(1, 60, clock=ManualClock(), keys_limit=10)
    for number in range(1_000):
        _fail(limiter, str(number))
    assert len(limiter._known) == 10


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:1:2:3", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_household_is_one_caller(address: str, origin: str) -> None:
    assert origin_of(address) == origin
