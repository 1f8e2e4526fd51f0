"""Turns (N3): who said how much to whom, from when until when, whatever the batches."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.people import ConversationId, PersonId
from services.monitor.fold.engine import PartitionFold, Start
from services.monitor.fold.measures import Row
from services.monitor.measures import measures_of
from services.monitor.traffic import measure as traffic
from services.monitor.traffic.domain import TrafficKey
from services.monitor.traffic.turns import AGENT_WORDS, Turn, TurnSpan
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import SHOP, Folding, Paper, folded, rules
from tests.unit.monitor.test_monitor_fold_recomputed import Step, steps, told

pytestmark = pytest.mark.unit

ANNE, BEN = PersonId("anne"), PersonId("ben")
NOON_MS = round(NOON.timestamp() * 1000)

Shown = tuple[str | None, float, float, int, int]
"""Whose, from when until when in seconds, words of the buyer and of the agent."""


def chat(paper: Paper, name: str = "c", start: datetime = NOON) -> Chat:
    return Chat(paper, SHOP, ANNE, ConversationId(name), PersonId("buyer"), start)


def turns(found: Folding) -> list[Turn]:
    changes: traffic.Changes = found.changes.of(traffic.NAME)
    return [one.turn for _, one in sorted(changes.turns.whole.items())]


def shown(turn: Turn, start: datetime = NOON) -> Shown:
    begin = round(start.timestamp() * 1000)
    times = (turn.from_ms - begin) / 1000, (turn.until_ms - begin) / 1000
    return turn.agent_id, *times, turn.buyer_words, len(turn.agent_ms)


async def test_n3_a_turn_is_the_owners_and_holds_the_words_of_both() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.buyer(3)
    await talk.auto(4)
    await talk.bot(5)
    await talk.agent(10)

    found = turns(await folded(paper))

    assert [shown(turn) for turn in found] == [("anne", 0, 610, 2, 1)]
    assert (found[0].owned, found[0].agent_ms) == (True, [NOON_MS + 10_000])
    assert found[0].agent_offsets == [len(paper.records) - 1]


async def test_n3_a_new_owners_turn_begins_at_once_if_the_buyer_waits() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.transferred(20, BEN)
    await talk.agent(30)
    await talk.transferred(40, ANNE)

    found = turns(await folded(paper))

    assert [shown(turn) for turn in found] == [("anne", 0, 20, 1, 0), ("ben", 20, 40, 0, 1)]


async def test_n3_words_that_nobody_has_are_nobodys_until_he_is_assigned() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-60)
    await talk.queued(-30)
    await talk.buyer(0)
    await talk.assigned(15, BEN)
    await talk.agent(20)

    found = turns(await folded(paper))

    assert [shown(turn) for turn in found] == [(None, 0, 15, 1, 0), ("ben", 15, 620, 0, 1)]


@pytest.mark.parametrize(("silence", "number"), [(599.999, 1), (600, 2)])
async def test_n3_a_silence_of_ten_minutes_ends_a_turn(silence: float, number: int) -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(10)
    await talk.buyer(10 + silence)

    found = turns(await folded(paper))

    assert len(found) == number
    assert found[0].until_ms == NOON_MS + round((610 if number == 2 else 610 + silence) * 1000)


async def test_n3_a_persons_close_ends_it_and_nothing_but_a_word_begins_the_next() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(10)
    await talk.closed(30)
    await talk.buyer(100)
    await talk.reopened(101)
    await talk.assigned(102, BEN)
    await talk.agent(110)

    found = turns(await folded(paper))

    assert [shown(turn) for turn in found] == [
        ("anne", 0, 30, 1, 1), (None, 100, 102, 1, 0), ("ben", 102, 710, 0, 1),
    ]  # fmt: skip


async def test_n3_a_turn_ends_at_the_midnight_of_the_shop() -> None:
    paper = Paper()
    start = datetime(2026, 11, 11, 15, 59, 0, tzinfo=UTC)
    talk = await chat(paper, start=start).opened(-1)
    await talk.buyer(0)
    await talk.agent(59.999)
    await talk.buyer(60)

    found = await folded(paper)

    assert [shown(turn, start) for turn in turns(found)] == [
        ("anne", 0, 60, 1, 1), ("anne", 60, 660, 1, 0),
    ]  # fmt: skip
    assert [row.day.day for row in rows(found) if row.day] == [11, 12]


async def test_n3_a_turn_has_fifty_messages_of_an_agent_at_most() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    for number in range(AGENT_WORDS + 1):
        await talk.agent(number + 1)

    found = turns(await folded(paper))

    assert [shown(turn) for turn in found] == [("anne", 0, 50, 1, 50), ("anne", 51, 651, 0, 1)]


async def test_n3_staff_without_the_seat_has_a_turn_that_is_not_owned() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.transferred(5, BEN)
    talk.agent_id = ANNE
    await talk.agent(8, seat=1)
    talk.agent_id = BEN
    await talk.agent(9)
    await talk.closed(12)
    await talk.agent(13, seat=talk.version - 1)

    found = turns(await folded(paper))

    assert [(turn.agent_id, turn.owned, len(turn.agent_ms)) for turn in found] == [
        ("anne", True, 0), ("ben", True, 1), ("anne", False, 1), ("ben", False, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("at", [7_000, 200_000])
async def test_n3_a_late_word_is_as_if_it_had_not_been_said_there(at: int) -> None:
    """Golden case 20: it counts in the conversation in which it is answered, forgotten or not."""
    paper = Paper()
    other = await chat(paper, "other").opened(0)
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.closed(5)
    await talk.buyer(at)
    await talk.late(at + 1, into=other)
    await other.agent(at + 10)

    found = await folded(paper)

    changes: traffic.Changes = found.changes.of(traffic.NAME)
    whole = sorted(changes.turns.whole.items())
    assert [(one.standing.name, shown(one.turn)) for _, one in whole] == [
        ("c", ("anne", 0, 5, 1, 0)), ("other", ("anne", at, at + 610, 1, 1)),
    ]  # fmt: skip
    assert len(changes.turns.withdrawn) == 1


def rows(found: Folding) -> list[Row]:
    """Return the rows of turns, in the order of the log."""
    place = found.fold.states.place_of(traffic.NAME)
    measure = found.fold.states.measures[place]
    given_rows = measure.rows(found.changes.deltas[place])
    return sorted(row for row in given_rows if row.table == "turns")


@given(steps, st.lists(st.integers(0, 40), max_size=6), st.data())
@settings(deadline=None, max_examples=150)
def test_n3_turns_are_the_same_whatever_the_batches(
    script: list[Step], cuts: list[int], data: st.DataObject
) -> None:
    """Stored after each batch, the newest of a name stands: so one folded whole must find it."""

    async def played() -> None:
        paper = await told(script)
        whole = await Folding(rules()).upto(paper.records)
        fold = PartitionFold(Start(0, 0), measures_of(rules())())
        stored: dict[tuple[object, ...], Row] = {}
        one_by_one = data.draw(st.booleans())
        for cut in range(41) if one_by_one else sorted({*cuts, len(paper.records)}):
            batch = await fold.fold(paper.records[fold.next_offset : cut])
            place = fold.states.place_of(traffic.NAME)
            delta: traffic.Changes = batch.changes.deltas[place]
            for name in delta.turns.withdrawn:
                stored.pop((name,), None)
            found = fold.states.measures[place].rows(delta)
            stored |= {row.key: row for row in found if row.table == "turns"}
            match data.draw(st.sampled_from(["taken over", "taken back", "nothing"])):
                case "taken over":
                    fold.take(measures_of(rules())())
                case "taken back" if cut < len(paper.records):
                    await fold.fold(paper.records[fold.next_offset : cut + 3])
                    fold.take_back()
                case _:
                    pass
        assert sorted(stored.values()) == rows(whole)

    asyncio.run(played())


async def test_n3_what_was_folded_by_who_tells_no_turns_is_in_none_of_a_recount() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    for at in range(0, 60, 10):
        await (talk.agent(at) if at % 20 else talk.buyer(at))
    measures = measures_of(rules())()
    measure = next(one for one in measures if isinstance(one, traffic.TrafficMeasure))
    measure.tell_in([TurnSpan(0, 0, 4), TurnSpan(6, 0)])

    batch = await PartitionFold(Start(0, 0), measures).fold(paper.records)

    changes: traffic.Changes = batch.changes.of(traffic.NAME)
    assert [shown(one.turn) for _, one in sorted(changes.turns.whole.items())] == [
        ("anne", 0, 610, 1, 1), ("anne", 40, 650, 1, 1),
    ]  # fmt: skip
    assert changes.days[TrafficKey(SHOP, NOON.date())].buyer_messages == 3
