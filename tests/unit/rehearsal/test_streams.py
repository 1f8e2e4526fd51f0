"""A stream's sends after a refusal: when they come again, in which order, and what as a resend."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kit.clock import ManualClock
from rehearsal.streams import LATE, RESEND_FOR_S, TOO_OLD, Answer, Frame, Stream
from tests.waiting import eventually

pytestmark = pytest.mark.unit

SOON_MS = 20


class Line:
    """A stream, what it wrote, and what its sends came to."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []
        self.answers: dict[str, asyncio.Future[Answer]] = {}
        self.clock = ManualClock()
        self.stream = Stream(
            "conv:1",
            lambda frame: self.written.append({**frame}),
            random.Random(1),
            self.clock,
        )
        self.stream.live.set()

    def send(self, *ids: str) -> None:
        """Say something under each id."""
        for one in ids:
            self.answers[one] = self.stream.send({"t": "send", "id": one})

    def refuse(self, *ids: str, **problem: Any) -> None:
        """Answer `retry`."""
        told = {"code": "retry", "retry_after_ms": SOON_MS, **problem}
        for one in ids:
            self.stream.answer(Frame("err", id=one, problem=told))

    def accept(self, *ids: str) -> None:
        """Answer `ok`."""
        for one in ids:
            self.stream.answer(Frame("ok", id=one, d={"message_id": one, "position": [1, 1]}))

    def take(self) -> list[tuple[str, bool]]:
        """Return what was written since the last look: ids, and whether as resends."""
        written, self.written[:] = [(one["id"], "again" in one) for one in self.written], []
        return written


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A stream that is subscribed."""
    opened = Line()
    yield opened
    opened.stream.give_up("closed")


async def test_after_a_refusal_the_oldest_goes_first_and_the_others_when_it_is_answered(
    line: Line,
) -> None:
    line.send("a", "b")
    line.refuse("a", "b")
    line.send("c")
    assert line.take() == [("a", False), ("b", False)]

    await eventually(lambda: line.written)
    assert line.take() == [("a", True)]
    line.send("d")
    line.accept("a")
    assert line.take() == [("b", True), ("c", False), ("d", False)]
    line.accept("b", "c", "d")
    line.send("e")
    assert line.take() == [("e", False)]


async def test_it_waits_as_long_as_it_is_told_and_at_random_a_little_longer() -> None:
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    for _ in range(20):
        line = Line()
        line.stream.rng = random.Random(len(waits))
        line.send("a")
        line.refuse("a", retry_after_ms=60_000)
        assert line.stream._pause is not None
        waits.append(line.stream._pause.when() - loop.time())
        line.stream.give_up("closed")

    assert min(waits) >= 59
    assert max(waits) <= 60 * LATE
    assert len(set(waits)) == 20


async def test_what_was_not_taken_comes_again_as_if_for_the_first_time(line: Line) -> None:
    line.send("a")
    line.refuse("a", taken=False)
    await eventually(lambda: line.written[1:])
    line.refuse("a")
    await eventually(lambda: line.written[2:])
    line.refuse("a", taken=False)
    await eventually(lambda: line.written[3:])

    assert line.take() == [("a", False), ("a", False), ("a", True), ("a", True)]


async def test_what_is_older_than_ten_minutes_is_not_sent_again_by_itself(line: Line) -> None:
    line.send("old")
    line.clock.advance(1)
    line.send("young")
    line.stream.live.clear()
    line.clock.advance(RESEND_FOR_S)
    line.take()

    line.stream.live.set()
    line.stream.resend()

    assert line.take() == [("young", True)]
    assert line.answers["old"].result() == Answer(TOO_OLD)
    assert not line.answers["young"].done()


async def test_a_refusal_that_lasts_ends_what_has_grown_too_old_and_lets_the_next_go(
    line: Line,
) -> None:
    line.send("old")
    line.clock.advance(1)
    line.send("young")
    line.refuse("old", "young")
    line.clock.advance(RESEND_FOR_S)
    line.take()

    await eventually(lambda: line.written)

    assert line.take() == [("young", True)]
    assert line.answers["old"].result() == Answer(TOO_OLD)


async def test_a_refused_try_is_tried_again_and_nothing_passes_it(line: Line) -> None:
    line.send("a", "b")
    line.refuse("a", "b", taken=False)
    for _ in range(3):
        line.take()
        await eventually(lambda: line.written)
        line.refuse("a", taken=False)
    line.take()
    await eventually(lambda: line.written)
    line.accept("a")
    assert line.take() == [("a", False), ("b", False)]


async def test_a_new_connection_puts_everything_out_at_once_as_resends(line: Line) -> None:
    line.send("a", "b")
    line.refuse("a", retry_after_ms=60_000)
    line.take()
    line.stream.live.clear()
    line.stream.live.set()
    line.stream.resend()
    assert line.take() == [("a", True), ("b", True)]
    line.send("c")
    assert line.take() == [("c", False)]
