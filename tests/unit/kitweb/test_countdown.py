"""A limit that is begun and kept many times: what fires, and what does not."""

import asyncio

import pytest

from kit.web.countdown import Countdown

pytestmark = pytest.mark.unit


async def test_what_runs_is_not_begun_anew_and_fires_once() -> None:
    fired: list[str] = []
    countdown = Countdown(asyncio.get_running_loop())
    countdown.start(0, lambda: fired.append("first"))
    countdown.start(0, lambda: fired.append("second"))
    assert countdown.running
    await asyncio.sleep(0.001)
    assert (fired, countdown.running) == (["first"], False)


async def test_what_is_stopped_never_fires_and_can_be_begun_again() -> None:
    fired: list[str] = []
    countdown = Countdown(asyncio.get_running_loop())
    countdown.start(0, lambda: fired.append("stopped"))
    countdown.stop()
    countdown.stop()
    countdown.start(0, lambda: fired.append("again"))
    await asyncio.sleep(0.001)
    assert fired == ["again"]


async def test_it_may_be_begun_again_by_what_it_calls() -> None:
    fired: list[str] = []
    countdown = Countdown(asyncio.get_running_loop())

    def again() -> None:
        fired.append("once")
        countdown.start(60, lambda: fired.append("twice"))

    countdown.start(0, again)
    await asyncio.sleep(0.001)
    assert (fired, countdown.running) == (["once"], True)
    countdown.stop()
