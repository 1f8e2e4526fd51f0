"""Each rule of reception finds the dialogue planted for it, and spares its twin (N22-N24)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import pytest

from contracts.people import ConversationId, PersonId
from reception import RuleName, load
from services.monitor.fold.engine import PartitionFold, Start
from services.monitor.fold.measures import Row
from services.monitor.reception.book import book_of
from services.monitor.reception.measure import NAME, ReceptionMeasure
from tests.integration.monitor.chats import Chat
from tests.unit.monitor.papers import SHOP, Folding, Paper, rules

pytestmark = pytest.mark.unit

ANNE, BEN = PersonId("anne"), PersonId("ben")

Script = Callable[[Chat], Awaitable[None]]


async def opened() -> Chat:
    """Return a conversation of Anne's."""
    chat = Chat(Paper(), SHOP, ANNE, ConversationId("c1"), PersonId("buyer"))
    return await chat.opened()


def rows_of(found: Folding) -> dict[tuple[object, ...], Row]:
    """Return what is found, with what would be if nobody wrote any more, added up."""
    states, place = found.fold.states, found.fold.states.place_of(NAME)
    measure, known = states.measures[place], found.fold.conversations.values()
    over = [states.as_if_over(one, found.fold.log_ms)[place] for one in known]
    rows: dict[tuple[object, ...], Row] = {}
    for row in (row for delta in [found.changes.of(NAME), *over] for row in measure.rows(delta)):
        if row.key in rows:
            pairs = zip(rows[row.key].values, row.values, strict=True)
            rows[row.key] = row._replace(values=tuple(a + b for a, b in pairs))
        else:
            rows[row.key] = row
    return rows


def flags_of(found: Folding) -> dict[str, tuple[str, int]]:
    """Return agent and severity by rule, of what was not taken back."""
    return {
        str(row.key[1]): (str(row.key[4]), row.values[0])
        for row in rows_of(found).values()
        if row.values[1] > 0 and not row.key[-1]
    }


async def flagged(script: Script) -> dict[str, tuple[str, int]]:
    """Return what is flagged of a conversation."""
    chat = await opened()
    await script(chat)
    assert isinstance(chat.rig, Paper)
    return flags_of(await Folding(rules()).upto(chat.rig.records))


def said(*words: tuple[float, str, str]) -> Script:
    """Return who says what, and when; `close` and `idle` end it."""

    async def script(chat: Chat) -> None:
        first = chat.agent_id
        for at, who, text in words:
            match who:
                case "buyer":
                    await chat.buyer(at, text)
                case "agent":
                    await chat.agent(at, text)
                case "goodbye":
                    await chat.agent(at, text, seat=max(1, chat.version - 1))
                case "close":
                    await chat.closed(at)
                case "idle":
                    await chat.closed(at, sweep="idle")
                case "queued":
                    await chat.queued(at)
                case "to":
                    await chat.transferred(at, first if text == ANNE else PersonId(text))
                case _:
                    raise AssertionError(who)

    return script


HELLO: Final = (1.0, "agent", "您好亲，很高兴为您服务")
ASKS: Final = (2.0, "buyer", "这件衣服什么时候可以发货呢")

MARKED: Final = {"marks": ("anne", 2)}

PLANTED: Final[dict[str, tuple[Sequence[tuple[float, str, str]], dict[str, tuple[str, int]]]]] = {
    "silence": ((HELLO, ASKS, (240, "agent", "今天下午发")), {"silence": ("anne", 2)}),
    "silence, for long": ((HELLO, ASKS, (700, "agent", "今天下午发")), {"silence": ("anne", 3)}),
    "silence, closed without an answer": (
        (HELLO, ASKS, (240, "close", "")),
        {"silence": ("anne", 3)},
    ),
    "silence, handed on after it": (
        (HELLO, ASKS, (240, "to", "ben"), (250, "agent", "今天下午发")),
        {"silence": ("anne", 2)},
    ),
    "forgotten": (
        (HELLO, ASKS, (5, "agent", "亲稍等哦"), (1000, "buyer", "还在吗")),
        {"forgotten": ("anne", 2)},
    ),
    "forgotten, closed as idle": (
        (HELLO, ASKS, (5, "agent", "亲我查一下"), (1900, "idle", "")),
        {"forgotten": ("anne", 2)},
    ),
    "curt": (
        (HELLO, ASKS, (5, "agent", "嗯"), (60, "buyer", "我说的是这件")),
        {"curt": ("anne", 1)},
    ),
    "curt, with particles": (
        (HELLO, ASKS, (5, "agent", "亲，嗯呢～"), (60, "buyer", "我说的是这件")),
        {"curt": ("anne", 1)},
    ),
    "curt, twice in a row": (
        (
            HELLO, ASKS, (5, "agent", "嗯"), (60, "buyer", "那到底是今天还是明天发呢"),
            (65, "agent", "问快递"), (100, "buyer", "好"),
        ),
        {"curt": ("anne", 2)},
    ),
    "marks, alone": ((HELLO, ASKS, (5, "agent", "？？？")), MARKED),
    "marks, at the buyer": ((HELLO, ASKS, (5, "agent", "你到底买不买？？")), MARKED),
    "marks, rhetorical": ((HELLO, ASKS, (5, "agent", "怎么又来问了？！")), MARKED),
    "greeting": (
        ((1, "buyer", "多少钱"), (5, "agent", "99"), (8, "agent", "包邮"), (9, "agent", "现货")),
        {"greeting": ("anne", 1)},
    ),
    "greeting, of one message": (
        ((1, "buyer", "多少钱"), (5, "agent", "99"), (90, "buyer", "包邮吗")),
        {"greeting": ("anne", 1)},
    ),
    "farewell": (
        (HELLO, ASKS, (5, "agent", "下午发"), (9, "buyer", "发什么快递"), (12, "agent", "顺丰"),
         (20, "close", "")),
        {"farewell": ("anne", 1)},
    ),
    "ping_pong, back without a word": (
        (HELLO, (5, "to", "ben"), (60, "to", "anne")),
        {"ping_pong": ("ben", 2)},
    ),
    "ping_pong, three times": (
        (HELLO, (5, "to", "ben"), (7, "agent", "您好亲"), (60, "to", "cleo"),
         (70, "agent", "您好亲"), (90, "to", "dora")),
        {"ping_pong": ("cleo", 2)},
    ),
}  # fmt: skip

SPARED: Final[dict[str, Sequence[tuple[float, str, str]]]] = {
    "silence: in time": (HELLO, ASKS, (180, "agent", "今天下午发")),
    "silence: closing words": (
        HELLO, ASKS, (5, "agent", "下午发"), (9, "buyer", "好的 谢谢"), (900, "close", ""),
    ),
    "silence: a thumb": (HELLO, ASKS, (5, "agent", "下午发"), (9, "buyer", "嗯嗯👌"),
                         (400, "agent", "不客气")),
    "silence: nobody's": (
        HELLO, (2, "queued", ""), (3, "buyer", "什么时候发货呢"), (400, "close", ""),
    ),
    "forgotten: he came back": (
        HELLO, ASKS, (5, "agent", "亲稍等哦"), (800, "agent", "查到了，下午发"),
        (2000, "buyer", "好"),
    ),
    "forgotten: closed meanwhile": (
        HELLO, ASKS, (5, "agent", "亲稍等哦"), (300, "idle", ""), (2000, "buyer", "好"),
    ),
    "forgotten: the buyer needs it no more": (
        HELLO, ASKS, (5, "agent", "亲稍等哦"), (90, "buyer", "不用了"), (1900, "idle", ""),
    ),
    "curt: to a short word": (HELLO, (2, "buyer", "在吗"), (5, "agent", "嗯"), (60, "buyer", "嗯")),
    "curt: he writes on": (
        HELLO, ASKS, (5, "agent", "嗯"), (15, "agent", "今天下午发出"), (60, "buyer", "好"),
    ),
    "curt: an answer to whether": (
        HELLO, (2, "buyer", "请问这个有白色的吗"), (5, "agent", "有"), (60, "buyer", "好"),
    ),
    "curt: cold already": (HELLO, ASKS, (5, "agent", "看详情"), (60, "buyer", "好")),
    "marks: one": (HELLO, ASKS, (5, "agent", "您要哪个颜色？")),
    "marks: a welcome": ((1, "agent", "欢迎光临！！"), ASKS, (5, "agent", "亲下午发呢")),
    "marks: quoted": (HELLO, ASKS, (5, "agent", "您说的“你到底发不发？？”我记下了")),
    "marks: a polite question": (HELLO, ASKS, (5, "agent", "请问还有什么可以帮到您的吗??")),
    "marks: behind digits": (HELLO, ASKS, (5, "agent", "您的尾号是8876？？")),
    "greeting: behind the price": (
        (1, "buyer", "多少钱"), (5, "agent", "99"), (8, "agent", "亲，包邮的"), (90, "buyer", "好"),
    ),
    "greeting: handed on": (HELLO, (5, "to", "ben"), (8, "agent", "99"), (90, "buyer", "好")),
    "farewell: said": (
        HELLO, ASKS, (5, "agent", "下午发"), (9, "buyer", "发什么快递"),
        (12, "agent", "顺丰，感谢支持"), (20, "close", ""),
    ),
    "farewell: behind the close": (
        HELLO, ASKS, (5, "agent", "下午发"), (9, "buyer", "发什么快递"), (12, "agent", "顺丰"),
        (20, "close", ""), (21, "goodbye", "祝您生活愉快"),
    ),
    "farewell: the buyer had the last word": (
        HELLO, ASKS, (5, "agent", "下午发"), (9, "buyer", "发什么快递"), (12, "agent", "顺丰"),
        (15, "buyer", "好"), (20, "close", ""),
    ),
    "farewell: closed by itself": (
        HELLO, ASKS, (5, "agent", "下午发"), (9, "buyer", "发什么快递"), (12, "agent", "顺丰"),
        (1900, "idle", ""),
    ),
    "farewell: one round": (HELLO, ASKS, (5, "agent", "下午发"), (20, "close", "")),
    "ping_pong: he spoke": (
        HELLO, (5, "to", "ben"), (9, "agent", "您好亲，这是售前的事"), (60, "to", "anne"),
    ),
    "ping_pong: later": (HELLO, (5, "to", "ben"), (700, "to", "anne")),
    "no_apology: is off": (HELLO, ASKS, (170, "agent", "下午发"), (171, "agent", "顺丰")),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
async def test_n24_a_planted_dialogue_is_found(name: str) -> None:
    words, found = PLANTED[name]

    assert await flagged(said(*words)) == found


@pytest.mark.parametrize("name", SPARED)
async def test_n24_its_twin_is_spared(name: str) -> None:
    assert await flagged(said(*SPARED[name])) == {}


async def test_n22_a_rule_that_is_off_finds_nothing_until_it_is_on() -> None:
    on = book_of([
        file.model_copy(update={"on": file.rule is RuleName.NO_APOLOGY}) for file in load()
    ])  # fmt: skip
    answers = [(200.0 + at, "agent", "下午发") for at in range(4)]
    sorry = (204.0, "agent", "让您久等了")

    async def found(*words: tuple[float, str, str]) -> list[str]:
        chat = await opened()
        await said(HELLO, ASKS, *words)(chat)
        assert isinstance(chat.rig, Paper)
        fold = PartitionFold(Start(0, 0), [ReceptionMeasure(rules(), on)])
        changes = (await fold.fold(chat.rig.records)).changes.of(NAME)
        return [rule for _, rule in changes.found]

    assert await found(*answers, (204, "agent", "顺丰")) == ["no_apology"]
    assert await found(*answers, sorry) == []
    assert "no_apology" not in await flagged(said(HELLO, ASKS, *answers, (204, "agent", "顺丰")))


async def test_n23_a_session_has_one_flag_of_a_rule_and_agent_that_grows() -> None:
    chat = await opened()
    await said(HELLO, ASKS, (240, "agent", "下午发"), (300, "buyer", "发什么快递"))(chat)
    await said((1000, "agent", "顺丰"))(chat)
    assert isinstance(chat.rig, Paper)

    (row,) = rows_of(await Folding(rules()).upto(chat.rig.records)).values()

    severity, times, seconds, offsets = row.values
    assert (severity, times, seconds) == (3, 2, 238 + 700)
    assert [chat.rig.records[at].header("ce_type") for at in offsets] == [b"chat.message.v1"] * 2
    assert row.key[0] == offsets[0]


async def test_n23_the_next_session_has_a_flag_of_its_own() -> None:
    chat = await opened()
    await said(HELLO, ASKS, (240, "agent", "下午发"))(chat)
    await said((8_000, "buyer", "发什么快递"), (8_240, "agent", "顺丰"))(chat)
    assert isinstance(chat.rig, Paper)

    found = rows_of(await Folding(rules()).upto(chat.rig.records))

    assert [row.values[1] for row in found.values()] == [1, 1]


def test_n22_the_same_is_found_however_the_log_is_cut() -> None:
    async def played() -> None:
        paper = Paper()
        for number, words in enumerate([*(w for w, _ in PLANTED.values()), *SPARED.values()]):
            chat = Chat(paper, SHOP, ANNE, ConversationId(f"c{number}"), PersonId(f"b{number}"))
            await said(*words)(await chat.opened())
        whole = rows_of(await Folding(rules()).upto(paper.records))
        assert len(whole) >= len(PLANTED)
        for step in (1, 7, 50):
            live = Folding(rules())
            for cut in range(step, len(paper.records) + step, step):
                await live.upto(paper.records[:cut])
                live.stored_and_loaded()
            assert rows_of(live) == whole

    asyncio.run(played())
