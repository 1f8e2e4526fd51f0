"""A shop's board in parts: totals, then each agent's tile, then what changes."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from contracts.base import Event, rfc3339
from contracts.frames import FRAME_BYTES
from contracts.monitor import BoardAgent, BoardTotals, WordingFlagged
from contracts.people import AgentState, ConversationId, MessageId, PersonId, ShopId
from contracts.topics import ALERTS, BOARD
from kit.bus.ports import Record, message_of
from kit.errors import Unavailable
from tests.unit.gateway.port import SHOP, Member, World, a_few, nothing_is_left

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
PARTS = f"board:{SHOP}"


def totals(*, messages: int, shop: ShopId = SHOP) -> BoardTotals:
    """Return totals that say how many messages there were."""
    return BoardTotals(
        id=f"t{messages}",
        time=AT,
        shop_id=shop,
        as_of=AT,
        delayed_ms=0,
        messages=messages,
        open_conversations=0,
        waiting=0,
        waiting_since=None,
        queued=0,
        breaching=0,
        flags_agent=0,
        flags_buyer=0,
        held=0,
        states={AgentState.ONLINE: 2},
        figures={},
        waiting_longest=(),
    )


def tile(agent: str, *, has: int, removed: bool = False, shop: ShopId = SHOP) -> BoardAgent:
    """Return an agent's tile with so many conversations."""
    return BoardAgent(
        id=f"{agent}-{has}",
        time=AT,
        shop_id=shop,
        agent_id=PersonId(agent),
        name="小陈",
        state=AgentState.ONLINE,
        since=AT,
        open_conversations=has,
        waiting=0,
        waiting_since=None,
        breaching=0,
        figures={"taobao_2022": (1, 2, 3, 4, 5, 6, 7, 30)},
        removed=removed,
    )


def whole(shown: BoardTotals, *tiles: BoardAgent) -> bytes:
    """Return what the monitor answers."""
    told = {
        "totals": shown.model_dump(mode="json"),
        "agents": [one.model_dump(mode="json", exclude={"id", "time"}) for one in tiles],
    }
    return msgspec.json.encode(told)


def heard(world: World, *events: Event) -> None:
    """Let events come on the topic of boards."""
    hear = world.tiles_stream.hears()[BOARD]
    for event in events:
        sent = message_of(event)
        hear(Record(BOARD.name, 0, 0, 0, sent.key, sent.value, sent.headers))


def has(member: Member) -> dict[str, Any]:
    """Return how many conversations each agent has who has a tile on a screen."""
    found: dict[str, Any] = {}
    for frame in member.screen.of("patch", PARTS):
        if "k" in frame:
            found[frame["k"]] = frame["d"]["open_conversations"]
            if frame["d"].get("removed"):
                del found[frame["k"]]
    return found


def messages(member: Member) -> list[int]:
    """Return the totals that came on a screen, by their messages."""
    frames = [
        one["d"]
        for one in member.screen.frames
        if one["t"] in {"snap", "patch"} and one.get("s") == PARTS and "k" not in one
    ]
    return [d and d["messages"] for d in frames]


async def watching(world: World) -> Member:
    """Let a supervisor in who watches."""
    member = world.enter()
    world.sub(member, PARTS)
    await world.settle()
    return member


async def test_totals_come_first_then_every_tile_then_what_changes_alone() -> None:
    world = World()
    world.archived_tiles = whole(totals(messages=1), tile("a", has=1), tile("b", has=2))
    member = await watching(world)

    assert [frame["t"] for frame in member.screen.frames] == ["ok", "snap", "patch", "patch"]
    assert (messages(member), has(member)) == ([1], {"a": 1, "b": 2})

    heard(world, tile("b", has=3), totals(messages=2))

    assert [frame.get("k") for frame in member.screen.frames[4:]] == ["b", None]
    assert member.screen.frames[-1]["d"]["time"] == rfc3339(AT)
    assert (messages(member), has(member)) == ([1, 2], {"a": 1, "b": 3})


async def test_who_comes_second_asks_nobody_and_sees_the_same() -> None:
    world = World()
    world.archived_tiles = whole(totals(messages=1), tile("a", has=1), tile("b", has=2))
    first = await watching(world)
    heard(world, tile("a", has=5), tile("b", has=0, removed=True), totals(messages=7))
    asked = world.asked
    second = await watching(world)

    assert world.asked == asked
    assert (messages(second), has(second)) == ([7], {"a": 5})
    assert has(first) == has(second)

    world.leave(first)
    world.leave(second)
    nothing_is_left(world)


async def test_what_is_told_while_the_monitor_is_asked_is_newer_than_its_answer() -> None:
    world = World()
    world.archived_tiles = whole(totals(messages=1), tile("a", has=1), tile("b", has=2))
    member = world.enter()
    world.sub(member, PARTS)
    await a_few()
    heard(world, tile("a", has=9), tile("b", has=0, removed=True), totals(messages=8))
    await world.settle()

    assert (messages(member), has(member)) == ([8], {"a": 9})


@pytest.mark.parametrize("answer", ["away", "of an older release"])
async def test_without_an_answer_there_is_nothing_until_somebody_asks_again(
    answer: str,
) -> None:
    world = World()
    member = world.enter()
    frame_id = world.sub(member, PARTS)
    await a_few()
    if answer == "away":
        world.asks.pop().fail(Unavailable())
    await world.settle()

    assert member.screen.answers() == {frame_id: ["ok"]}
    assert [one["d"] for one in member.screen.of("snap", PARTS)] == [None]

    world.archived_tiles = whole(totals(messages=3), tile("a", has=1))
    world.unsub(member, PARTS)
    world.sub(member, PARTS)
    await world.settle()
    assert (messages(member)[-1], has(member)) == (3, {"a": 1})


async def test_a_slow_reader_gets_the_newest_of_each_tile_once_he_reads() -> None:
    world = World()
    world.archived_tiles = whole(totals(messages=1), tile("a", has=0), tile("b", has=0))
    member = await watching(world)
    before = len(member.screen.frames)
    member.socket.hold()
    for number in range(1, 50):
        heard(world, tile("a", has=number), tile("b", has=2 * number), totals(messages=number))
    assert len(member.screen.frames) == before

    member.socket.release()

    assert len(member.screen.frames) == before + 3
    assert (messages(member)[-1], has(member)) == (49, {"a": 49, "b": 98})


async def test_another_shops_board_is_refused_and_never_kept() -> None:
    world = World()
    member = world.enter()
    frame_id = world.sub(member, "board:another")
    heard(world, totals(messages=1, shop=ShopId("another")), tile("z", has=1))

    assert member.screen.answers() == {frame_id: ["forbidden"]}
    assert world.tiles_stream.shown == {}


async def test_alerts_come_beside_it() -> None:
    world = World()
    world.archived_tiles = whole(totals(messages=1))
    member = await watching(world)
    alert = WordingFlagged(
        id="f",
        time=AT,
        shop_id=SHOP,
        conversation_id=ConversationId("c"),
        message_id=MessageId("m"),
        sender_id=PersonId("a"),
        speaker="agent",
        hits=(),
        lexicon_version="1",
    )
    sent = message_of(alert)
    world.tiles_stream.hears()[ALERTS](
        Record(ALERTS.name, 0, 0, 0, sent.key, sent.value, sent.headers)
    )

    assert [one["type"] for one in member.screen.of("ev", PARTS)] == [alert.type]


async def test_no_frame_of_a_shop_of_five_hundred_agents_under_eight_profiles_is_large() -> None:
    sums = dict.fromkeys([f"profile_{number}" for number in range(8)], (10**8,) * 8)
    tiles = [tile(f"agent-{number:032}", has=99) for number in range(500)]
    world = World()
    world.archived_tiles = whole(
        totals(messages=1).model_copy(update={"figures": sums}),
        *(one.model_copy(update={"figures": sums}) for one in tiles),
    )
    sizes: list[int] = []
    member = world.enter()
    written = member.screen.write

    def write(frame: bytes) -> None:
        sizes.append(len(frame))
        written(frame)

    member.screen.write = write  # type: ignore[method-assign]
    world.sub(member, PARTS)
    await world.settle()

    assert len(has(member)) == 500
    assert max(sizes) < FRAME_BYTES / 16
