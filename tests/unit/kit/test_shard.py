"""What a relay's worker remembers of its shard: one key's trouble stays that key's."""

import asyncio

import pytest

from kit.bus.ports import Position, Refused, Stalled, TooLarge
from kit.shard import HOLD_LIMIT_S, HOLD_S, STALL_S, Answer, Shard

pytestmark = pytest.mark.unit


async def test_keys_under_way_are_left_out_until_they_are_answered() -> None:
    shard = Shard(0)
    answer = pending()

    assert shard.sent(1, "a", answer)
    assert shard.left_out(now=0) == ["a"]
    answer.set_result(Position(0, 0))

    assert shard.settle(now=0).published == [1]
    assert shard.left_out(now=0) == []
    assert shard.answers() == []


async def test_a_row_refused_at_once_stops_its_key_and_no_other() -> None:
    shard = Shard(0)

    assert not shard.sent(1, "large", failed(TooLarge()))
    assert shard.blocks("large")
    assert not shard.blocks("other")
    assert shard.sent(2, "other", acked())
    settled = shard.settle(now=0)

    assert settled.published == [2]
    assert not settled.stalled
    assert shard.left_out(now=0) == ["large"]
    assert shard.blamed() == 1


async def test_a_row_that_fails_under_way_holds_back_what_was_sent_before_it_failed() -> None:
    shard = Shard(0)
    first, second = pending(), pending()
    shard.sent(1, "a", first)
    shard.sent(2, "a", second)
    first.set_exception(Refused())
    second.set_exception(Stalled())

    assert shard.blocks("a")
    assert shard.settle(now=0).published == []
    assert shard.blamed() == 1


async def test_each_failure_doubles_the_pause_up_to_a_limit() -> None:
    shard = Shard(0)
    now, pauses = 0.0, []

    for _ in range(10):
        shard.sent(1, "a", failed(TooLarge()))
        shard.settle(now)
        begun = now
        while shard.left_out(now):
            now += 0.125
        pauses.append(now - begun)

    assert 0.5 * HOLD_S <= pauses[0] <= 1.5 * HOLD_S + 0.125
    assert pauses[4] > 4 * HOLD_S
    assert max(pauses) <= 1.5 * HOLD_LIMIT_S + 0.125


async def test_keys_that_failed_together_are_tried_again_apart() -> None:
    shard = Shard(0)
    for row in range(100):
        shard.sent(row, f"key-{row}", failed(Refused()))
    shard.settle(now=0)

    due = {now: len(shard.left_out(now=now / 10)) for now in range(5, 16)}

    assert due[5] > 80
    assert 20 < due[10] < 80
    assert due[15] < 20


async def test_a_partition_that_takes_nothing_is_nobodys_fault_and_tried_every_second() -> None:
    shard = Shard(0)

    for now in range(20):
        shard.sent(1, "a", failed(Stalled()))
        assert shard.settle(now).stalled
        assert shard.blamed() == 0
        assert shard.left_out(now + STALL_S - 0.01) == ["a"]
        assert shard.left_out(now + STALL_S) == []


async def test_a_success_forgets_what_failed_before() -> None:
    shard = Shard(0)
    shard.sent(1, "a", failed(TooLarge()))
    shard.settle(now=0)

    shard.sent(1, "a", acked())
    shard.settle(now=100)

    assert shard.blamed() == 0
    assert shard.left_out(now=100) == []


async def test_a_hold_whose_rows_are_gone_is_dropped_once_it_is_over() -> None:
    shard = Shard(0)
    shard.sent(1, "a", failed(TooLarge()))
    shard.settle(now=0)

    shard.forget_empty([], now=0)
    assert shard.blamed() == 1
    shard.forget_empty(["a"], now=100)
    assert shard.blamed() == 1
    shard.forget_empty(["b"], now=100)
    assert shard.blamed() == 0


def pending() -> Answer:
    return asyncio.get_running_loop().create_future()


def acked() -> Answer:
    answer = pending()
    answer.set_result(Position(0, 0))
    return answer


def failed(error: Exception) -> Answer:
    answer = pending()
    answer.set_exception(error)
    return answer
