"""Sockets subscribe, leave, come again and hang up at random while a port answers at random (H40).

Every id is answered once, `ok` means live, no event is lost or doubled, and nothing is left over.
"""

import random
from collections import Counter

import pytest

from kit.errors import NotFound, Unavailable
from tests.unit.gateway.port import (
    BOARD,
    INBOX,
    TALK,
    Member,
    Unforeseen,
    World,
    a_few,
    nothing_is_left,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("seed", range(100))
async def test_whatever_comes_in_between_each_id_is_answered_once_and_ok_means_live(
    seed: int,
) -> None:
    chance, world = random.Random(seed), World()
    for subject in ("p", "p", "q"):
        world.enter(subject)
    for _ in range(chance.randrange(20, 120)):
        await step(world, chance)
    await world.settle()
    for member in world.members:
        check_answers(member)
    await probe(world)
    for member in world.members:
        check_shown(world, member)

    for member in world.members:
        world.leave(member)
    asked = world.asked
    await world.settle()
    assert world.asked == asked
    nothing_is_left(world)


async def step(world: World, chance: random.Random) -> None:
    """Let one thing happen."""
    here = [member for member in world.members if not (member.gone or member.screen.closed)]
    s = chance.choice([TALK, INBOX, BOARD])
    match chance.choices(
        ["sub", "unsub", "event", "answer", "fail", "turn", "leave", "enter"],
        [30, 20, 12, 20, 5, 20, 2, 3],
    )[0]:
        case "sub" if here:
            member = chance.choice(here)
            world.sub(member, s, position=position_of(world, member, s, chance))
        case "unsub" if here:
            world.unsub(chance.choice(here), s)
        case "event":
            await world.happen(s)
            world.mark = chance.randint(world.mark, len(world.said))
        case "answer" if world.asks:
            ask = world.asks.pop(chance.randrange(len(world.asks)))
            ask.answer(early=chance.random() < 0.5)
        case "fail" if world.asks:
            error = chance.choice([Unavailable(), TimeoutError(), Unforeseen(), NotFound()])
            world.asks.pop(chance.randrange(len(world.asks))).fail(error)
        case "turn":
            await a_few(chance.randrange(1, 6))
        case "leave" if here:
            world.leave(chance.choice(here))
        case "enter":
            world.enter(chance.choice("pq"))


def position_of(world: World, member: Member, s: str, chance: random.Random) -> object:
    """Return where a client stands, if it comes with a position: at the last message it saw."""
    if s != TALK or chance.random() < 0.5:
        return None
    seen = [offset for offset, _ in messages(member)]
    return [1, max(seen)] if seen else None


def messages(member: Member) -> list[tuple[int, bool]]:
    """Return the offsets of messages in order, and whether each came in a snapshot."""
    shown: list[tuple[int, bool]] = []
    for frame in member.screen.frames:
        if frame.get("s") != TALK:
            continue
        if frame["t"] == "snap":
            shown += [(item["position"][1], True) for item in frame["d"]["items"]]
        elif frame["t"] == "ev":
            shown.append((frame["position"][1], False))
    return shown


def check_answers(member: Member) -> None:
    """Each id has one answer; who is gone may have got none."""
    said = Counter(frame_id for _, _, frame_id in member.said)
    answers = {frame_id: len(codes) for frame_id, codes in member.screen.answers().items()}
    if member.gone or member.screen.closed:
        assert all(answers[frame_id] == 1 for frame_id in answers)
        assert set(answers) <= set(said)
    else:
        assert answers == said


async def probe(world: World) -> None:
    """Let one more event come on every stream: who is live sees it once, nobody else at all."""
    before = {id(member): len(member.screen.frames) for member in world.members}
    for s in (TALK, INBOX, BOARD):
        await world.happen(s)
    for member in world.members:
        news = member.screen.frames[before[id(member)] :]
        got = Counter(frame["s"] for frame in news)
        here = not (member.gone or member.screen.closed)
        assert got == Counter(s for s in (TALK, INBOX, BOARD) if here and member.live(s))


def check_shown(world: World, member: Member) -> None:
    """What is live has no hole, and no event came twice."""
    if member.gone or member.screen.closed:
        return
    events = Counter(offset for offset, in_snap in messages(member) if not in_snap)
    assert all(count == 1 for count in events.values())
    if member.live(TALK):
        seen = {offset for offset, _ in messages(member)}
        assert seen == set(world.said)
    told = Counter(frame["id"] for frame in member.screen.of("ev", INBOX))
    assert all(count == 1 for count in told.values())
    if member.live(INBOX):
        last = max(
            n for n, f in enumerate(member.screen.frames) if f["t"] == "snap" and f["s"] == INBOX
        )
        known = set(member.screen.frames[last]["d"]["told"])
        known |= {
            f["id"] for f in member.screen.frames[last:] if f["t"] == "ev" and f["s"] == INBOX
        }
        assert known == set(world.told)
    if member.live(BOARD):
        shown = [f["d"] for f in member.screen.frames if f.get("s") == BOARD and "d" in f]
        assert shown[-1] == world.boards
