"""A join belongs to its subscription: whatever comes in between, each id is answered once (H40)."""

import importlib
import pkgutil
from typing import get_args

import pytest

from kit.bus.ports import BusAway
from kit.errors import NotFound, Unavailable
from services.gateway.frames.names import StreamName
from services.gateway.hub import subscription_to
from services.gateway.hub.conversations import SubscriptionState
from services.gateway.streams import Stream, kinds
from services.gateway.streams.kinds.inbox import JOIN_LIMIT
from tests.unit.gateway.port import (
    BOARD,
    INBOX,
    TALK,
    TURNS,
    Unforeseen,
    World,
    a_few,
    nothing_is_left,
)
from tests.waiting import eventually

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("s", [TALK, INBOX, BOARD])
@pytest.mark.parametrize("gap", [0, 8])
@pytest.mark.parametrize("older_first", [True, False])
async def test_who_leaves_while_he_joins_and_comes_again_is_answered_and_is_live(
    s: str, gap: int, *, older_first: bool
) -> None:
    world = World()
    member = world.enter()
    first = world.sub(member, s)
    await a_few(gap)
    left = world.unsub(member, s)
    await a_few(gap)
    second = world.sub(member, s)
    await a_few()
    for ask in world.asks if older_first else reversed(world.asks):
        ask.answer()
        await a_few()
    await world.settle()

    assert member.screen.answers() == {first: ["unsubscribed"], left: ["ok"], second: ["ok"]}
    assert len(member.screen.of("snap", s)) == 1
    await world.happen(s)
    assert len(member.screen.of("patch" if s == BOARD else "ev", s)) == 1


@pytest.mark.parametrize("s", [TALK, INBOX, BOARD])
async def test_a_join_that_fails_takes_nothing_from_the_one_after_it(s: str) -> None:
    world = World()
    member = world.enter()
    world.sub(member, s)
    await a_few()
    world.unsub(member, s)
    second = world.sub(member, s)
    await a_few()
    world.asks[1].answer()
    await a_few()
    world.asks[0].fail(Unforeseen())
    await world.settle()

    assert member.screen.answers()[second] == ["ok"]
    await world.happen(s)
    assert member.screen.of("patch" if s == BOARD else "ev", s)


@pytest.mark.parametrize("s", [INBOX, BOARD])
async def test_a_second_sub_shares_the_join_under_way(s: str) -> None:
    world = World()
    member = world.enter()
    ids = [world.sub(member, s), world.sub(member, s)]
    await a_few()
    await world.happen(INBOX)
    ids.append(world.sub(member, s))
    asked = world.asked
    await world.settle()

    assert asked == 1
    assert member.screen.answers() == {one: ["ok"] for one in ids}
    assert len(member.screen.of("snap", s)) == 1
    assert len(member.screen.of("ev", INBOX)) == (s == INBOX)


@pytest.mark.parametrize("error", [Unavailable(), NotFound(), TimeoutError(), Unforeseen()])
async def test_a_live_inbox_joins_anew_and_stays_as_it_is_if_that_fails(error: Exception) -> None:
    world = World()
    member = world.enter()
    world.sub(member, INBOX)
    await world.settle()
    again = world.sub(member, INBOX)
    await a_few()
    await world.happen(INBOX)
    held = len(member.screen.of("ev", INBOX))
    world.asks[0].fail(error)
    await world.settle()

    assert held == 0
    code = "internal" if isinstance(error, Unforeseen) else "retry"
    assert member.screen.answers()[again] == [code]
    assert len(member.screen.of("ev", INBOX)) == 1
    await world.happen(INBOX)
    assert len(member.screen.of("ev", INBOX)) == 2
    last = world.sub(member, INBOX)
    await world.settle()
    assert member.screen.answers()[last] == ["ok"]
    assert len(member.screen.of("snap", INBOX)) == 2


@pytest.mark.parametrize("live", [False, True])
async def test_too_many_events_during_a_join_fail_it_and_lose_nothing_of_a_live_inbox(
    *, live: bool
) -> None:
    world = World()
    member = world.enter()
    if live:
        world.sub(member, INBOX)
        await world.settle()
    frame_id = world.sub(member, INBOX)
    await a_few()
    for _ in range(JOIN_LIMIT + 1):
        await world.happen(INBOX)
    await world.settle()

    assert member.screen.answers()[frame_id] == ["retry" if live else "resync"]
    assert len(member.screen.of("ev", INBOX)) == (JOIN_LIMIT + 1 if live else 0)
    assert len(member.screen.of("resync", INBOX)) == (not live)
    assert (INBOX in member.socket.subscriptions) is live


FAILURES = [
    (s, error, code)
    for s in (TALK, INBOX, BOARD)
    for error, code in [
        (Unforeseen(), "internal"),
        (TimeoutError(), "retry"),
        (Unavailable(), "retry"),
        (BusAway(), "retry"),
    ]
    if not (
        s == BOARD and isinstance(error, Unavailable)
    )  # shown empty: the next board comes as a patch
]


@pytest.mark.parametrize(("s", "error", "code"), FAILURES)
async def test_whatever_a_join_raises_is_answered_and_leaves_nothing(
    s: str, error: Exception, code: str
) -> None:
    world = World()
    member = world.enter()
    frame_id = world.sub(member, s)
    await a_few()
    world.asks[0].fail(error)
    await world.settle()

    assert member.screen.answers() == {frame_id: [code]}
    assert member.socket.subscriptions == {}
    assert not world.conversations.watched
    assert not world.watchers.watchers


async def test_who_was_told_ok_and_cannot_be_caught_up_is_resynced_and_not_answered_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    member = world.enter()
    frame_id = world.sub(member, TALK)
    await world.settle()
    subscription = subscription_to(member.socket, TALK)
    assert subscription is not None

    async def broken(*_: object, **__: object) -> None:
        raise Unforeseen

    monkeypatch.setattr(world.resume, "refill", broken)
    member.socket.full(0)
    subscription.state = SubscriptionState.WITHHELD
    world.streams.refill(member.socket)
    await world.settle()

    assert member.screen.answers() == {frame_id: ["ok"]}
    assert [frame["reason"] for frame in member.screen.of("resync", TALK)] == ["slow_reader"]
    assert member.socket.subscriptions == {}


async def test_for_who_left_while_he_waited_nobody_is_asked() -> None:
    world = World()
    members = [world.enter(f"p{number}") for number in range(4 * TURNS)]
    for member in members:
        for s in (TALK, INBOX, BOARD):
            world.sub(member, s)
    await a_few()
    asked = world.asked
    for member in members:
        world.leave(member)
    await world.settle()

    assert asked == TURNS
    assert world.asked == asked
    nothing_is_left(world)


async def test_a_board_that_comes_while_another_is_fetched_is_the_one_that_is_shown() -> None:
    world = World()
    member = world.enter()
    world.sub(member, BOARD)
    await a_few()
    await world.happen(BOARD)
    world.asks.pop().answer(early=True)
    await world.settle()

    shown = [frame["d"] for frame in member.screen.frames if frame["t"] in {"snap", "patch"}]
    assert shown[-1] == 1


@pytest.mark.parametrize("s", [TALK, INBOX, BOARD])
async def test_who_waits_too_long_to_be_asked_for_is_told_to_come_again(s: str) -> None:
    world = World(wait_s=0.01)
    for number in range(TURNS):
        world.sub(world.enter(f"p{number}"), TALK)
    await a_few()
    late = world.enter()
    frame_id = world.sub(late, s)

    await eventually(lambda: late.screen.answers() == {frame_id: ["retry"]})
    assert world.asked == TURNS
    assert late.socket.subscriptions == {}
    await world.settle()


def test_every_name_of_a_stream_leads_to_a_kind() -> None:
    for module in pkgutil.iter_modules(kinds.__path__):
        importlib.import_module(f"{kinds.__name__}.{module.name}")

    named = [kind.names for kind in Stream.__subclasses__()]
    assert sorted(named, key=str) == sorted(get_args(StreamName), key=str)
