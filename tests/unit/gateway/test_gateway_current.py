"""How far a board is current reaches who watches a shop of that share, and nobody else."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.base import rfc3339
from contracts.monitor import BOARD_SHARES, BoardPublished, BoardsCurrent, board_share
from contracts.people import PLATFORM
from contracts.topics import BOARD
from kit.bus.ports import Record, message_of
from services.gateway.frames.names import stream_of
from tests.unit.gateway.port import SHOP, World, nothing_is_left

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
CURRENT = f"current:{SHOP}"
MINE = board_share(SHOP)


def mark(*shares: int, after_s: int = 0, of: int = BOARD_SHARES) -> BoardsCurrent:
    """Return a mark."""
    through = AT + timedelta(seconds=after_s)
    return BoardsCurrent(
        id=f"m{after_s}", time=through, shop_id=PLATFORM, shares=shares, of=of, through=through
    )


def heard(world: World, *marks: BoardsCurrent) -> None:
    """Let marks come on the topic of boards."""
    [hear] = world.current.hears().values()
    for one in marks:
        sent = message_of(one)
        hear(Record(BOARD.name, 0, 0, 0, sent.key, sent.value, sent.headers))


def through(after_s: int) -> dict[str, str]:
    """Return what a frame says of a moment."""
    return {"through": rfc3339(AT + timedelta(seconds=after_s))}


async def test_who_watches_sees_the_newest_mark_of_his_shops_share_and_each_that_follows() -> None:
    world = World()
    heard(world, mark(MINE, after_s=2), mark(MINE, after_s=4), mark((MINE + 1) % 16, after_s=6))
    member = world.enter()
    frame_id = world.sub(member, CURRENT)
    heard(world, mark((MINE + 1) % 16, after_s=8), mark(*range(BOARD_SHARES), after_s=10))

    assert member.screen.answers() == {frame_id: ["ok"]}
    assert [one["d"] for one in member.screen.of("snap", CURRENT)] == [through(4)]
    assert [one["d"] for one in member.screen.of("patch", CURRENT)] == [through(10)]

    left = world.unsub(member, CURRENT)
    heard(world, mark(MINE, after_s=12))
    assert member.screen.answers()[left] == ["ok"]
    assert len(member.screen.of("patch", CURRENT)) == 1
    world.leave(member)
    nothing_is_left(world)


async def test_before_the_first_mark_nothing_is_said() -> None:
    world = World()
    member = world.enter()
    world.sub(member, CURRENT)

    assert [one["d"] for one in member.screen.of("snap", CURRENT)] == [{"through": None}]


async def test_a_release_that_shares_shops_out_otherwise_is_believed_of_its_own_shares() -> None:
    world = World()
    member = world.enter()
    world.sub(member, CURRENT)
    heard(world, mark(MINE, after_s=2), mark(0, after_s=4, of=1))

    assert [one["d"] for one in member.screen.of("patch", CURRENT)] == [through(2), through(4)]


async def test_another_shops_is_refused() -> None:
    world = World()
    member = world.enter()
    frame_id = world.sub(member, "current:another")

    assert str(stream_of("current:another")) == "current:another"
    assert member.screen.answers() == {frame_id: ["forbidden"]}
    assert member.socket.subscriptions == {}


async def test_a_board_says_when_it_was_published_as_over_rest() -> None:
    world = World()
    member = world.enter()
    world.sub(member, f"monitor:{SHOP}")
    published = BoardPublished(
        id="b1",
        time=AT,
        shop_id=SHOP,
        as_of=AT - timedelta(hours=1),
        delayed_ms=0,
        messages=7,
        open_conversations=0,
        waiting=0,
        longest_wait_ms=0,
        flags_agent=0,
        flags_buyer=0,
        held=0,
        figures=(),
        agents=(),
        waiting_longest=(),
    )
    sent = message_of(published)
    hear = world.watchers.hears()[BOARD]
    hear(Record(BOARD.name, 0, 0, 0, sent.key, sent.value, sent.headers))
    await world.settle()
    again = world.enter()
    world.sub(again, f"monitor:{SHOP}")
    await world.settle()

    [patched] = [one["d"] for one in member.screen.of("patch", f"monitor:{SHOP}")]
    [shown] = [one["d"] for one in again.screen.of("snap", f"monitor:{SHOP}")]
    assert patched == shown
    assert (shown["time"], shown["messages"]) == (rfc3339(AT), 7)
