"""Disguised insults are recognised, disguised shop words are not: measured per transform.

The words here are small sets of our own; the transforms are the ones people use.
"""

import random
from collections.abc import Callable

import pytest

from wording import Category, Engine, Speaker, Why
from wording.folding import folding

pytestmark = pytest.mark.unit

RUDE = (
    "傻逼", "王八蛋", "狗杂种", "不要脸", "畜生", "脑残", "去你妈的",
    "贱货", "人渣", "白痴", "吃屎去", "婊子养的", "死全家", "猪脑子",
    "滚犊子", "臭流氓", "神经病", "窝囊废", "老不死", "狗娘养的",
)  # fmt: skip
INNOCENT = (
    "保温杯", "羽绒服", "垃圾袋", "傻瓜相机", "狗粮", "操作台", "变态辣",
    "老婆饼", "妈妈装", "滚筒", "收货地址", "优惠券", "运费险", "猪肉脯",
    "核桃仁", "逼真", "体操服", "王老吉", "八宝粥", "电饭煲",
)  # fmt: skip
FRAMES = ("{}", "你这个{}", "真是{}", "{}吧你", "{}，别烦我", "这单到底什么时候发货，{}")
TABLES = folding()

Transform = Callable[[str], str]


def joined(signs: str) -> Transform:
    return lambda word: "".join(
        char + signs[at % len(signs)] for at, char in enumerate(word)
    ).rstrip(signs)


def pinyin(word: str) -> str:
    return "".join(TABLES.reading(char) or char for char in word)


def mixed(word: str) -> str:
    return word[:-1] + pinyin(word[-1])


def shifted(word: str, first: int) -> str:
    return "".join(chr(ord(char) - ord("a") + first) for char in pinyin(word))


def translated(source: str, target: str) -> Transform:
    return lambda word: pinyin(word).translate(str.maketrans(source, target))


def masked(sign: str) -> Transform:
    return lambda word: word[0] + sign + word[2:] if len(word) > 2 else word


def repeated(word: str) -> str:
    rng = random.Random(word)
    return "".join(char * rng.randint(2, 4) for char in word)


STRICT: dict[str, Transform] = {
    "zero_width": joined("\u200b\u200d\ufeff\u00ad\u2060"),
    "zero_width_many": ("\u200b\u2060" * 4).join,
    "tab": joined("\t"),
    "turned_round": lambda word: f"\u202e{word[::-1]}\u202c",
    "filler": joined("\u3164\uffa0\u115f\u1160"),
    "punctuation": joined("…，·-_~*|/"),
    "emoji": joined("💩🐶😡"),
    "gap": joined(" \u3000"),
    "repeat": repeated,
}
TRANSFORMS: dict[str, Transform] = STRICT | {
    "literal": str,
    "pinyin": pinyin,
    "pinyin_mixed": mixed,
    "fullwidth": lambda word: shifted(word, ord("ａ")),
    "mathematical": lambda word: shifted(word, 0x1D41A),
    "circled": lambda word: shifted(word, ord("ⓐ")),
    "cyrillic": translated("aeiopcxsjhn", "аеіорсхѕјһп"),
    "leet": translated("aios", "@105"),
    "mask": masked("×"),
    "mask_letter": masked("X"),
}
# What the target leaves: one innocent message of a hundred.
INNOCENT_SHARE = 0.015


def is_insulted(engine: Engine, text: str) -> bool:
    verdict = engine.check(text, speaker=Speaker.AGENT)
    return any(hit.category is Category.INSULT for hit in verdict.hits)


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_a_disguised_insult_is_recognised(engine: Engine, name: str) -> None:
    transform = TRANSFORMS[name]
    texts = [frame.format(transform(word)) for word in RUDE for frame in FRAMES]
    recall = sum(is_insulted(engine, text) for text in texts) / len(texts)

    assert recall >= (0.98 if name in STRICT else 0.9)


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_a_disguised_shop_word_is_innocent(engine: Engine, name: str) -> None:
    transform = TRANSFORMS[name]
    texts = [frame.format(transform(word)) for word in INNOCENT for frame in SHOP_FRAMES]
    flagged = [text for text in texts if is_insulted(engine, text)]

    assert len(flagged) <= INNOCENT_SHARE * len(texts), flagged


@pytest.mark.parametrize("between", ["\n", "\r\n", "\n\n", " \n", "\n\u200b"])
def test_an_insult_of_one_character_a_line_is_recognised(engine: Engine, between: str) -> None:
    missed = [word for word in RUDE if not is_insulted(engine, between.join(word))]
    below = [word for word in RUDE if not is_insulted(engine, f"好的亲\n{between.join(word)}\n")]

    assert not missed
    assert not below


@pytest.mark.parametrize(
    "text", ["亲看看傻\n逼真的图", "码数贱\n人太多", "买\n二\n送\n一", "贱\n人多"]
)
def test_lines_of_more_than_a_character_are_not_read_together(engine: Engine, text: str) -> None:
    assert not is_insulted(engine, text)


def test_what_is_drawn_from_right_to_left_is_read_so_to_its_end(engine: Engine) -> None:
    text = "亲，\u202e了逼傻是你\u202c今天能发"
    (hit,) = engine.check(text, speaker=Speaker.AGENT).hits

    assert text[hit.start : hit.end] == hit.surface == "逼傻"
    assert is_insulted(engine, "\u202e逼傻是你")
    assert not is_insulted(engine, "\u202e有货\n逼傻")


SHOP_FRAMES = ("{}", "这个{}还有货吗", "亲，{}可以的哦", "{}，今天能发吗", "拍了两件{}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("你个王八蛋", Why.LITERAL),
        ("王\u200b八蛋", Why.INVISIBLE),
        ("王\u3164八蛋", Why.INVISIBLE),
        ("王-八-蛋", Why.GAP),
        ("王王八八蛋蛋", Why.REPEAT),
        ("妄八单", Why.HOMOPHONE),
        ("zhizhang", Why.PINYIN),
        ("王八dan", Why.PINYIN),
        ("你这个wbd", Why.INITIALS),
        ("王×蛋", Why.MASK),
        ("水衮疋虫", Why.SPLIT),
        ("躁你大爷", Why.SHAPE),
        ("你個混賬", Why.TRADITIONAL),
        ("ｓｂ", Why.LOOKALIKE),
    ],
)
def test_a_hit_says_which_disguise_it_saw_through(engine: Engine, text: str, why: Why) -> None:
    hits = engine.check(text, speaker=Speaker.AGENT).hits

    assert why in {hit.why for hit in hits}, hits


def test_folding_what_is_folded_changes_nothing() -> None:
    texts = [TABLES.fold(chr(point)) for point in range(len(TABLES.plain))]

    assert [text for text in texts if TABLES.fold(text) != text] == []


@pytest.mark.parametrize(
    ("text", "insulted"),
    [
        ("家里老人，等着穿呢。", False),
        ("家里，老×人，等着穿呢", True),
        ("家里老人，等着穿；你这老×人", True),
        ("家里老人，等着穿；你这老人", False),
        ("老人家，" * 9 + "老×人", True),
    ],
)
def test_a_mask_counts_only_where_a_sign_stands_in_the_word(
    engine: Engine, text: str, *, insulted: bool
) -> None:
    assert is_insulted(engine, text) is insulted
