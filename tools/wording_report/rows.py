"""The rows of the table: what is asked, how much of it, and what was measured.

Each takes the engine as its users do, by its one call.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tools.wording_report import sentences
from tools.wording_report.disguises import COLUMN, MECHANICAL, PEOPLES, STRICT, Transform
from wording import ABUSE, Action, Category, Engine, Flag, Severity, Speaker
from wording.lexicon import Lexicon

FRAMES: Final = ("{}", "你这个{}", "真是{}", "{}，退钱", "你们就是{}吧", "等了三天了{}")
COLUMN_FRAMES: Final = ("{}", "好的\n{}", "{}\n退钱", "你这个\n{}")
SHOP_FRAMES: Final = ("{}", "请问{}还有吗", "{}，谢谢", "拍了两件{}")
SHOP_WORDS: Final = (
    "保温杯", "羽绒服", "优惠券", "运费险", "收货地址", "洗发水", "电饭煲", "操作台", "妈妈装",
    "狗粮", "蛋糕", "鸡胸肉", "牛奶", "猪肉脯", "老人机", "死海泥", "婴儿车", "日用品", "马克杯",
    "滚轮", "货架", "骑行服", "乌龟缸", "贱卖", "人参", "坏果包赔", "垃圾桶", "神仙水", "脑电图",
    "智能锁", "废纸篓", "儿童鞋", "杂粮", "种子", "发货",
)  # fmt: skip
WORDS: Final = 240
LONGEST: Final = 6
SHORTEST: Final = 2

Judge = Callable[[str], bool]
"""Tells whether a text is flagged."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure and its target: `least` or `most`, a share; `shown` names what stands against it."""

    name: str
    value: float
    of: int
    least: float | None = None
    most: float | None = None
    shown: Sequence[str] = ()

    @property
    def met(self) -> bool:
        """Tell whether the figure is as good as its target."""
        if self.least is not None and self.value < self.least:
            return False
        return self.most is None or self.value <= self.most


def is_abuse(engine: Engine, text: str, speaker: Speaker = Speaker.AGENT) -> bool:
    """Tell whether a message counts as abuse."""
    return any(hit.category in ABUSE for hit in engine.check(text, speaker=speaker).hits)


def base_words(lexicon: Lexicon) -> Sequence[str]:
    """Return some heavy insults, the same ones each time."""
    words = {
        text
        for term in lexicon.terms
        if term.category is Category.INSULT and term.severity is Severity.HIGH and not term.needs
        # Silent in most frames, disguised or not.
        if term.flags.isdisjoint({Flag.CLAUSE, Flag.WHOLE})
        for text in term.texts
        if SHORTEST <= len(text) <= LONGEST and all("一" <= char <= "鿿" for char in text)
    }
    ordered = sorted(words)
    return random.Random(7).sample(ordered, min(WORDS, len(ordered)))  # noqa: S311 no secret


def disguised(engine: Engine, words: Sequence[str]) -> Iterator[Row]:
    """Measure the disguises of machines and of people, of insults and of shop words."""
    by_machine = [recall(engine, name, words, how=how) for name, how in MECHANICAL.items()]
    whole = sum(row.value * row.of for row in by_machine) / sum(row.of for row in by_machine)
    yield Row("mechanical, all transforms", whole, sum(row.of for row in by_machine), least=0.95)
    for row in by_machine:
        least = 0.98 if row.name.removeprefix("mechanical: ") in STRICT else None
        yield Row(row.name, row.value, row.of, least=least, shown=row.shown)
    shop = [frame.format(how(word)) for how in MECHANICAL.values() for word in SHOP_WORDS
            for frame in SHOP_FRAMES]  # fmt: skip
    yield flagged("mechanical, on shop words", shop, partial(is_abuse, engine), most=0.01)
    for name, how in PEOPLES.items():
        row = recall(engine, name, words, how=how)
        least = None if name == "reversed" else 0.8
        yield Row(f"people's: {name}", row.value, row.of, least=least, shown=row.shown)
    # 滚* means the insult, whatever goods begin with that character.
    kept = [how for name, how in PEOPLES.items() if not name.startswith("short mask")]
    peoples = [frame.format(how(word)) for how in kept for word in SHOP_WORDS
               for frame in SHOP_FRAMES]  # fmt: skip
    yield flagged("people's, on shop words", peoples, partial(is_abuse, engine), most=0.01)


def recall(engine: Engine, name: str, words: Iterable[str], *, how: Transform) -> Row:
    """Measure a disguise of the words that it changes."""
    hidden = [how(word) for word in words if how(word) != word]
    frames = FRAMES if name != COLUMN else COLUMN_FRAMES
    texts = [frame.format(one) for one in hidden for frame in frames]
    missed = [text for text in texts if not is_abuse(engine, text)]
    found = 1 - len(missed) / max(1, len(texts))
    return Row(f"mechanical: {name}", found, len(texts), shown=missed)


def flagged(name: str, texts: Sequence[str], judge: Judge, *, most: float | None = None) -> Row:
    """Measure how much of what is innocent is flagged."""
    wrong = [text for text in texts if judge(text)]
    return Row(name, len(wrong) / max(1, len(texts)), len(texts), most=most, shown=wrong)


def spoken(engine: Engine) -> Iterator[Row]:
    """Measure sentences that disguise nothing."""
    for name, least, texts in _families():
        missed = [text for text in texts if not is_abuse(engine, text)]
        yield Row(name, 1 - len(missed) / len(texts), len(texts), least=least, shown=missed)
    near = partial(is_abuse, engine)
    yield flagged("neighbours of insults", sentences.NEIGHBOURS, near, most=0.02)
    buyers = partial(is_abuse, engine, speaker=Speaker.BUYER)
    yield flagged("neighbours of insults, of buyers", sentences.NEIGHBOURS, buyers, most=0.02)


def _families() -> Iterator[tuple[str, float, Sequence[str]]]:
    yield "people's: emoji in sentences", 0.8, sentences.EMOJI
    yield "people's: digits", 0.8, sentences.DIGITS
    for name, texts in sentences.DIALECTS.items():
        yield f"dialect: {name}", 0.6, texts
    yield "slang since 2019", 0.7, sentences.SLANG
    yield "threats", 0.7, sentences.THREATS
    yield "infixes and idioms", 0.7, sentences.IDIOMS


def tone(engine: Engine) -> Iterator[Row]:
    """Measure the rules for agents, written plainly, softened, and said with a smile."""
    for name, texts in sentences.AGENTS.items():
        yield _category(engine, name, texts, least=0.75)
    for name in ("cold", "bargain_refusal"):
        soft = [frame.format(text) for text in sentences.AGENTS[name]
                for frame in sentences.SOFTENED]  # fmt: skip
        yield _category(engine, name, soft, least=0.6, kind="softened")
    missed = [text for text in sentences.SARCASM if not _hits(engine, text)]
    share = 1 - len(missed) / len(sentences.SARCASM)
    yield Row("sarcasm under 您", share, len(sentences.SARCASM), least=0.4, shown=missed)
    yield flagged("clean sentences", sentences.CLEAN, lambda text: bool(_hits(engine, text)))


def _category(
    engine: Engine, name: str, texts: Sequence[str], *, least: float, kind: str = "agent"
) -> Row:
    missed = [text for text in texts if Category(name) not in _hits(engine, text)]
    share = 1 - len(missed) / len(texts)
    return Row(f"{kind}: {name}", share, len(texts), least=least, shown=missed)


def _hits(engine: Engine, text: str) -> set[Category]:
    return {hit.category for hit in engine.check(text, speaker=Speaker.AGENT).hits}


def real(engine: Engine, talk: Mapping[Speaker, Sequence[str]]) -> Iterator[Row]:
    """Measure what is flagged in real talk, practically all of it innocent."""
    agents = talk[Speaker.AGENT]
    counts: Counter[Category] = Counter()
    blocked: list[str] = []
    flags: list[str] = []
    for text in agents:
        verdict = engine.check(text, speaker=Speaker.AGENT)
        counts.update({hit.category for hit in verdict.hits})
        if verdict.hits:
            flags.append(text)
        if verdict.action is Action.BLOCK:
            blocked.append(text)
    for category in Category:
        most = 0.0001 if category is Category.INSULT else 0.005
        if category is not Category.ANGER:
            share = counts[category] / max(1, len(agents))
            yield Row(f"real agents: {category}", share, len(agents), most=most)
    share = len(flags) / max(1, len(agents))
    yield Row("real agents: any category", share, len(agents), most=0.005, shown=flags)
    yield Row("real agents: blocked", len(blocked) / max(1, len(agents)), len(agents), most=0)
    abusive = partial(is_abuse, engine, speaker=Speaker.BUYER)
    yield flagged("real buyers: flagged as abuse", talk[Speaker.BUYER], abusive, most=0.0002)
