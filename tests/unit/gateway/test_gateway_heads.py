"""Rows of an inbox: a snapshot and its patches say what a fresh snapshot would (F4)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.history import Ring
from services.gateway.streams.heads import AGAIN_S
from tests.unit.gateway.desk_of_rows import EVENTS, ME, TALKS, Desk

pytestmark = pytest.mark.unit

Act = tuple[str, Any, Any]

NOTERS = (ME, "leader")
SPEAKERS = ("buyer", "agent", "auto", "late seat", *NOTERS)

talks = st.sampled_from(TALKS)
acts = st.one_of(
    st.tuples(st.just("say"), talks, st.sampled_from(SPEAKERS)),
    st.tuples(st.just("tell"), talks, st.sampled_from((*EVENTS, "to other"))),
    st.tuples(st.just("read"), talks, st.integers(0, 12)),
    st.tuples(
        st.sampled_from(["archive", "open", "push", "away", "back", "wait"]), st.none(), st.none()
    ),
)


async def act(desk: Desk, one: Act) -> None:
    """Let one thing happen."""
    what, talk, how = one
    match what:
        case "say":
            _say(desk, talk, how)
        case "tell" if how == "to other":
            desk.tell(talk, "transferred", "other")
        case "tell":
            desk.tell(talk, how)
        case "read":
            desk.read(talk, min(how, len(desk.book.log)))
        case "archive":
            desk.book.mark = len(desk.book.log)
        case "open":
            await desk.open()
        case "push":
            await desk.pass_time()
        case "wait":
            await desk.pass_time(AGAIN_S)
        case _:
            desk.book.away = what == "away"


def _say(desk: Desk, talk: str, how: str) -> None:
    if how in NOTERS:
        desk.note(talk, how)
    elif how == "late seat":
        desk.say(talk, "agent", max(0, desk.book.versions[talk] - 1))
    else:
        desk.say(talk, how, desk.book.versions[talk] if how == "agent" else None)


@settings(max_examples=200)
@given(st.lists(acts, max_size=30))
def test_a_snapshot_and_its_patches_say_what_a_fresh_one_would(log: Sequence[Act]) -> None:
    async def play() -> None:
        desk = Desk()
        await desk.open()
        for one in log:
            await act(desk, one)
        await desk.rest()
        assert desk.shown() == await desk.fresh()

    asyncio.run(play())


@settings(max_examples=200)
@given(st.lists(acts, max_size=30), st.integers(1, 4))
def test_so_they_do_where_the_ring_reaches_back_little(log: Sequence[Act], kept: int) -> None:
    async def play() -> None:
        desk = Desk(ring=Ring(seconds=10**9, octets=kept * 1_000))
        await desk.open()
        for one in log:
            await act(desk, one)
        await desk.rest()
        assert desk.shown() == await desk.fresh()

    asyncio.run(play())


def played(scene: Callable[[Desk], Awaitable[None]]) -> Desk:
    """Play a scene at a desk whose agent has the first conversation."""

    async def play() -> Desk:
        desk = Desk()
        desk.tell("c1", "assigned")
        await desk.open()
        desk.screen.frames.clear()
        await scene(desk)
        return desk

    return asyncio.run(play())


def patches(desk: Desk) -> list[dict[str, Any]]:
    """Return what was pushed."""
    return [frame for frame in desk.screen.frames if frame["t"] == "patch"]


def test_what_the_buyer_says_is_pushed_whole() -> None:
    async def scene(desk: Desk) -> None:
        desk.say("c1", "buyer")
        await desk.pass_time()

    [frame] = patches(played(scene))

    at = "2026-11-11T00:00:01.000Z"
    assert frame == {
        "t": "patch",
        "s": "inbox",
        "k": "c1",
        "d": {
            "head": {"position": [1, 1], "by": "buyer", "kind": "text", "preview": "w1", "at": at},
            "round": {"opened_at": at, "position": [1, 1], "first": True},
            "unread": 1,
            "read_up_to": None,
        },
    }


def test_a_flood_is_one_frame_and_a_row_without_news_is_none() -> None:
    async def scene(desk: Desk) -> None:
        for _ in range(50):
            desk.say("c1", "buyer")
            desk.say("c2", "buyer")
        await desk.pass_time()
        await desk.pass_time()

    [frame] = patches(played(scene))

    assert (frame["d"]["unread"], frame["d"]["head"]["preview"]) == (50, "w99")


def test_more_than_ninety_nine_are_ninety_nine() -> None:
    async def scene(desk: Desk) -> None:
        for _ in range(120):
            desk.say("c1", "buyer")
        await desk.pass_time()
        desk.read("c1", 60)
        await desk.pass_time()
        desk.read("c1", 110)
        await desk.pass_time()

    assert [one["d"]["unread"] for one in patches(played(scene))] == [99, 60, 10]


def test_a_slow_reader_gets_the_newest_words_of_every_row() -> None:
    async def scene(desk: Desk) -> None:
        desk.tell("c2", "assigned")
        await desk.rest()
        desk.screen.frames.clear()
        desk.socket.hold()
        for _ in range(3):
            for talk in TALKS:
                desk.say(talk, "buyer")
                await desk.pass_time()
        assert patches(desk) == []
        desk.socket.release()

    shown = {one["k"]: one["d"]["unread"] for one in patches(played(scene))}
    assert shown == {"c1": 3, "c2": 3}


def test_nothing_is_kept_of_who_went_or_of_what_is_no_longer_ones_own() -> None:
    async def scene(desk: Desk) -> None:
        assert set(desk.heads.watched) == {b"c1"}
        desk.tell("c1", "transferred", "other")
        assert desk.heads.watched == {}
        desk.tell("c2", "assigned")
        assert set(desk.heads.of(ME)) == {b"c2"}
        desk.hub.leave(desk.socket)
        assert (desk.heads.watched, desk.heads.of(ME)) == ({}, {})
        desk.say("c2", "buyer")
        await desk.rest()

    assert patches(played(scene)) == []


def test_a_row_whose_words_nobody_can_tell_is_pushed_when_somebody_can() -> None:
    async def scene(desk: Desk) -> None:
        desk.book.away = True
        desk.say("c2", "buyer")
        desk.tell("c2", "assigned")
        await desk.pass_time()
        assert patches(desk) == []
        desk.book.away = False
        await desk.pass_time(AGAIN_S)
        await desk.pass_time()

    [frame] = patches(played(scene))

    assert (frame["k"], frame["d"]["head"]["preview"], frame["d"]["unread"]) == ("c2", "w1", 1)
