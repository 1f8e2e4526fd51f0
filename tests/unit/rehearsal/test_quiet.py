"""A screen is judged only after ten seconds of quiet in which it was connected (H26)."""

import asyncio

import pytest

from kit.clock import ManualClock
from rehearsal.quiet import AWAY_S, LOOK_S, QUIET_S, settled

pytestmark = pytest.mark.unit


class Scene:
    """A conversation whose screen may miss something and whose people may be cut off."""

    def __init__(self) -> None:
        self.shown = False
        self.cut_off = False
        self.clock = ManualClock()
        self.waiting = asyncio.create_task(
            settled(lambda: self.shown, lambda: self.cut_off, self.clock)
        )

    async def after(self, seconds: float) -> bool:
        """Let time pass; tell whether the screen is judged by then."""
        await self.clock.walk(seconds)
        return self.waiting.done()


async def test_what_is_shown_everywhere_is_not_waited_for() -> None:
    scene = Scene()
    scene.shown = True

    assert await scene.after(LOOK_S)


async def test_a_connected_screen_has_ten_seconds() -> None:
    scene = Scene()

    assert not await scene.after(QUIET_S - 1)
    assert await scene.after(2)


async def test_who_waits_for_his_next_try_to_connect_has_lost_nothing_yet() -> None:
    scene = Scene()
    scene.cut_off = True

    assert not await scene.after(QUIET_S * 3)
    scene.cut_off = False
    assert not await scene.after(QUIET_S - 1)
    assert await scene.after(2)


async def test_who_is_cut_off_again_starts_anew() -> None:
    scene = Scene()

    assert not await scene.after(QUIET_S - 1)
    scene.cut_off = True
    assert not await scene.after(1)
    scene.cut_off = False
    assert not await scene.after(QUIET_S - 1)
    assert await scene.after(2)


async def test_who_never_comes_back_is_judged_all_the_same() -> None:
    scene = Scene()
    scene.cut_off = True

    assert not await scene.after(AWAY_S - 1)
    assert await scene.after(2)
