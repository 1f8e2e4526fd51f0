"""What is found live, and would be if all were over, is what a fold of the log finds (N22)."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.people import ConversationId, PersonId
from services.monitor.reception.measure import NAME
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import SHOP, Folding, Paper, rules
from tests.unit.monitor.test_monitor_reception import rows_of

pytestmark = pytest.mark.unit

WORDS = {
    "buyer": ("这件衣服什么时候可以发货呢", "好的谢谢", "不用了", "请问有白色的吗"),
    "agent": ("嗯", "亲稍等哦", "您好亲", "你到底买不买？？", "今天下午发", "谢谢支持"),
}
HAPPENS = ("buyer", "buyer", "agent", "agent", "goodbye", "to", "queued", "close", "idle", "again")

Step = tuple[int, str, int, float]

steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(HAPPENS),
        st.integers(0, 9),
        st.sampled_from([0.5, 7.0, 21.0, 61.0, 200.0, 601.0, 901.0, 3_600.0, 40_000.0, 9e4]),
    ),
    max_size=40,
)


async def told(script: Sequence[Step]) -> Paper:
    """Tell what happens, as far as a conversation service would let it happen."""
    paper, at = Paper(), 0.0
    chats = [
        Chat(paper, SHOP, PersonId("anne"), ConversationId(f"c{n}"), PersonId("buyer"), NOON)
        for n in range(2)
    ]
    is_open = [False, False]
    for number, what, which, pause in script:
        at += pause
        chat, words = chats[number], WORDS.get(what, WORDS["agent"])
        match what:
            case "buyer":
                await chat.buyer(at, words[which % len(words)])
            case "agent":
                await chat.agent(at, words[which % len(words)])
            case "goodbye":
                await chat.agent(at, words[which % len(words)], seat=max(1, chat.version - 1))
            case "to" if is_open[number]:
                await chat.transferred(at, PersonId(("anne", "ben", "cleo")[which % 3]))
            case "queued" if is_open[number]:
                await chat.queued(at)
            case "close" | "idle" if is_open[number]:
                await chat.closed(at, sweep="idle" if what == "idle" else None)
                is_open[number] = False
            case "again" if not is_open[number]:
                await (chat.reopened(at) if chat.version else chat.opened(at))
                is_open[number] = True
            case _:
                pass
    return paper


@given(steps, st.lists(st.integers(0, 40), max_size=6), st.data())
@settings(deadline=None, max_examples=100)
def test_n22_live_and_as_if_over_equals_a_recompute(
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
                    forgotten = live.fold.forget(len(live.fold.conversations)).of(NAME)
                    for subject, found in forgotten.found.values():
                        live.changes.of(NAME).add(subject, found)
                case _:
                    pass
        await live.upto(paper.records)

        assert rows_of(live) == rows_of(whole)

    asyncio.run(played())
