"""A batch that could not be stored leaves no trace: folded again, it gives what it gave before."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import Event
from contracts.people import ConversationId, PersonId, ShopId
from kit.bus.ports import Record, message_of
from kit.ids import SequenceIds
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.fold.engine import Changes, PartitionFold, Start
from services.monitor.measures import measures_of
from services.monitor.profiles import book as profiles
from tests.integration.monitor.chats import Chat
from wording import Engine

pytestmark = pytest.mark.unit

ENGINE = Engine.load()
RULES = Rules(profiles.load(), Directory(), lambda: ENGINE)
START = datetime(2026, 11, 11, 4, tzinfo=UTC)

steps = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["buyer", "rude", "agent", "again", "transferred", "closed"]),
        st.sampled_from([0, 5, 31, 1_000, 90_000]),
    ),
    max_size=40,
)


class Paper:
    """A log of one partition, in memory."""

    def __init__(self) -> None:
        self.ids = SequenceIds()
        self.records: list[Record] = []

    async def produce(self, *events: Event) -> None:
        for event in events:
            sent, offset = message_of(event), len(self.records)
            at_ms = round(event.time.timestamp() * 1000)
            self.records.append(
                Record("chat", 0, offset, at_ms, sent.key, sent.value, sent.headers)
            )


async def told(script: Sequence[tuple[int, str, int]]) -> list[Record]:
    paper = Paper()
    chats = [
        Chat(paper, ShopId(f"shop-{n % 2}"), PersonId("anne"), ConversationId(f"c{n}"),
             PersonId(f"b{n}"), START)
        for n in range(4)
    ]  # fmt: skip
    at = 0
    for number, what, pause in script:
        at += pause
        chat = chats[number]
        match what:
            case "buyer":
                await chat.buyer(at)
            case "rude":
                await chat.buyer(at, "你们是骗子吗，傻逼")
            case "agent":
                await chat.agent(at)
            case "again":
                if chat.log:
                    await paper.produce(chat.log[-1])
            case "transferred":
                await chat.transferred(at, PersonId("ben"))
            case _:
                await chat.closed(at)
    return paper.records


def fresh() -> PartitionFold:
    return PartitionFold(Start(0, 0), measures_of(RULES)())


def states(fold: PartitionFold) -> dict[str, bytes]:
    return {name: fold.states.encode(known) for name, known in fold.conversations.items()}


def given_by(changes: Changes) -> object:
    found = {name: changes.states.encode(known) for name, known in changes.conversations.items()}
    assert changes.written == found
    return found, changes.next_offset, changes.watermark_ms, changes.deltas


@given(steps, st.integers(0, 40), st.integers(1, 3))
@settings(deadline=None)
def test_a_batch_taken_back_and_folded_again_gives_the_same(
    script: list[tuple[int, str, int]], cut: int, times: int
) -> None:
    async def played() -> None:
        records = await told(script)
        before, batch = records[:cut], records[cut:]
        straight, shaken = fresh(), fresh()
        await straight.fold(before)
        await shaken.fold(before)
        stood = states(shaken)
        wanted = await straight.fold(batch)

        for _ in range(times):
            await shaken.fold(batch)
            shaken.take_back()
            assert states(shaken) == stood
        found = await shaken.fold(batch)

        assert given_by(found.changes) == given_by(wanted.changes)
        assert states(shaken) == states(straight)

    asyncio.run(played())
