"""What is settled plus what would be if all were over is what one fold of the whole log gives."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.people import ConversationId, PersonId
from services.monitor.fold.measures import Row
from services.monitor.response import measure as response
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import SHOP, Folding, Paper, rules

pytestmark = pytest.mark.unit

Step = tuple[int, str, float]
"""Conversation, what happens, seconds since the step before."""

HAPPENS = (
    "buyer", "buyer", "agent", "goodbye", "bot", "transferred", "queued", "assigned", "closed",
    "idle", "abandoned", "reopened", "late",
)  # fmt: skip

steps = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(HAPPENS),
        st.sampled_from([0.0, 0.5, 7.0, 45.0, 599.999, 600.0, 3_599.999, 3_600.0, 40_000.0, 9e4]),
    ),
    max_size=40,
)


async def told(script: Sequence[Step]) -> Paper:
    """Tell what happens, as far as a conversation service would let it happen."""
    paper, at = Paper(), 0.0
    chats = [
        Chat(paper, SHOP, PersonId("anne"), ConversationId(f"c{n}"), PersonId("buyer"), NOON)
        for n in range(3)
    ]
    is_open = [False, False, False]
    for number, what, pause in script:
        at += pause
        chat, other = chats[number], chats[(number + 1) % 3]
        match what:
            case "buyer":
                await chat.buyer(at)
            case "agent":
                await chat.agent(at)
            case "goodbye":
                await chat.agent(at, seat=max(1, chat.version - 1))
            case "bot":
                await chat.bot(at)
            case "late" if chat.said and not is_open[number]:
                await chat.late(at, into=other)
            case "reopened" if not is_open[number]:
                await chat.reopened(at)
                is_open[number] = True
            case "transferred" | "queued" | "assigned" if is_open[number]:
                await _moved(chat, what, at)
            case "closed" | "idle" | "abandoned" if is_open[number]:
                sweep = {"idle": "idle", "abandoned": "abandoned"}.get(what)
                await chat.closed(at, sweep=sweep)  # type: ignore[arg-type] # one of the two
                is_open[number] = False
            case _:
                pass
    return paper


async def _moved(chat: Chat, what: str, at: float) -> None:
    match what:
        case "transferred":
            await chat.transferred(at, PersonId("ben"))
        case "queued":
            await chat.queued(at)
        case _:
            await chat.assigned(at, PersonId("cleo"))


def everything(found: Folding) -> dict[tuple[object, ...], object]:
    """Return rows and totals of what is settled and of what would be, added up."""
    place = found.fold.states.place_of(response.NAME)
    measure = found.fold.states.measures[place]
    states, log_ms = found.fold.states, found.fold.log_ms
    over = (states.as_if_over(known, log_ms) for known in found.fold.conversations.values())
    deltas = [found.response, *(each[place] for each in over)]
    rows: dict[tuple[object, ...], Row] = {}
    for row in (row for delta in deltas for row in measure.rows(delta)):
        name = row.table, row.key
        if name in rows:
            added = tuple(a + b for a, b in zip(rows[name].values, row.values, strict=True))
            rows[name] = row._replace(values=added)
        else:
            rows[name] = row
    return {name: row.values for name, row in rows.items()}


@given(steps, st.lists(st.integers(0, 40), max_size=6), st.data())
@settings(deadline=None, max_examples=150)
def test_live_and_as_if_over_equals_a_recompute(
    script: list[Step], cuts: list[int], data: st.DataObject
) -> None:
    async def played() -> None:
        paper = await told(script)
        whole = await Folding(rules()).upto(paper.records)
        live = Folding(rules())
        for cut in sorted(cuts):
            await live.upto(paper.records[:cut])
            match data.draw(st.sampled_from(["taken over", "forgets", "nothing"])):
                case "taken over":
                    live.stored_and_loaded()
                case "forgets":
                    live.forgets()
                case _:
                    pass
        await live.upto(paper.records)

        assert everything(live) == everything(whole)

    asyncio.run(played())


@given(steps)
@settings(deadline=None, max_examples=150)
def test_who_waits_is_counted_nowhere_until_the_day_is_over(script: list[Step]) -> None:
    async def played() -> None:
        found = await Folding(rules()).upto((await told(script)).records)
        end_ms = found.fold.log_ms

        assert all(score.rounds >= 0 for score in found.totals(end_ms).values())
        later = found.totals(end_ms + 10 * 86_400_000)
        for key, score in found.totals(end_ms).items():
            assert later[key].unanswered >= score.unanswered
            assert later[key].sessions >= score.sessions

    asyncio.run(played())
