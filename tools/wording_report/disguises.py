"""Disguises as machines and people make them, with characters of their own.

Nothing here is read from the engine's tables: what both had from one table would prove nothing.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from pypinyin import lazy_pinyin, pinyin_dict

Transform = Callable[[str], str]
"""Answer a word in disguise; the word itself where it has none."""


def between(signs: str) -> Transform:
    """Return the transform that puts one of the signs behind each character but the last."""
    return lambda word: (
        "".join(char + signs[at % len(signs)] for at, char in enumerate(word[:-1])) + word[-1:]
    )


def table(pairs: str) -> Transform:
    """Return the transform that replaces single characters: `妈媽 马馬`."""
    found = {pair[0]: pair[1:] for pair in pairs.split()}
    return lambda word: "".join(found.get(char, char) for char in word)


def latin(word: str) -> str:
    """Spell a word out."""
    return "".join(lazy_pinyin(word))


def initials(word: str) -> str:
    """Return the first letters."""
    return "".join(syllable[0] for syllable in lazy_pinyin(word))


def letters_at(first: int) -> Transform:
    """Return the transform that spells a word in letters that begin at a code point."""
    return lambda word: "".join(
        chr(ord(char) - ord("a") + first) if "a" <= char <= "z" else char for char in latin(word)
    )


def spelled_with(pairs: str) -> Transform:
    """Return the transform that spells a word and replaces letters."""
    replaced = table(pairs)
    return lambda word: replaced(latin(word))


def half_spelled(word: str) -> str:
    """Spell the last character."""
    return word[:-1] + latin(word[-1])


def half_abbreviated(word: str) -> str:
    """Leave the first character, and of the others their first letters."""
    return word[0] + initials(word[1:])


def repeated(word: str) -> str:
    """Write each character two to four times."""
    rng = random.Random(word)  # noqa: S311 the same each time
    return "".join(char * rng.randint(2, 4) for char in word)


def sounding_alike(word: str) -> str:
    """Replace each character by a common one of the same sound."""
    rng = random.Random(word)  # noqa: S311 the same each time
    return "".join(rng.choice(_alike().get(lazy_pinyin(char)[0], char)) for char in word)


@cache
def _alike() -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for high in range(0xB0, 0xD8):  # the 3,755 common ones of GB 2312
        for low in range(0xA1, 0xFF):
            char = bytes((high, low)).decode("gb2312", "ignore")
            if char and ord(char) in pinyin_dict.pinyin_dict:
                found.setdefault(lazy_pinyin(char)[0], []).append(char)
    return found


def masked(sign: str) -> Transform:
    """Return the transform that hides the second character, of words of three and more."""
    return lambda word: word[0] + sign + word[2:] if len(word) > PAIR else word


def short_masked(sign: str) -> Transform:
    """Return the transform that hides the second character of a word of two."""
    return lambda word: word[0] + sign if len(word) == PAIR else word


def stray(signs: str) -> Transform:
    """Return the transform that puts one letter or digit into the middle."""
    return lambda word: (
        word[: len(word) // 2] + signs[len(word) % len(signs)] + word[len(word) // 2 :]
    )


PAIR: Final = 2
TRADITIONAL: Final = table(
    "妈媽 马馬 贱賤 杂雜 种種 脑腦 残殘 骗騙 猪豬 鸡雞 废廢 滚滾 货貨 疯瘋 赖賴 丑醜 恶惡 "
    "烂爛 东東 鸟鳥 龟龜 虫蟲 烧燒 诈詐 穷窮 乌烏 诅詛 强強 卖賣 个個 们們 这這 头頭 门門 "
    "脸臉 荡蕩 爷爺 儿兒 孙孫 坏壞 伪偽 狱獄 阴陰 无無 养養 长長 会會 没沒 里裡 软軟 怂慫 "
    "贼賊 诱誘 干幹"
)
PARTS: Final = table(
    "妈女马 狗犭句 贱贝戋 滚氵衮 屎尸米 骗马扁 猪犭者 骚马蚤 婊女表 畜玄田 种禾中 杂九木 "
    "蛋疋虫 残歹戋 贼贝戎 娘女良 他亻也 你亻尔 混氵昆 废广发 物牛勿 智知日 障阝章 垃土立 "
    "圾土及 尼尸匕 玛王马 逼畐辶 狼犭良 奸女干 妓女支 痴疒知 病疒丙 神礻申 穷穴力 臭自犬 "
    "脸月佥 鸡又鸟 奶女乃 笨竹本 货化贝 肥月巴 泼氵发 赖束负 操扌喿"
)
LOOSE_PARTS: Final = table(
    "狗犬句 滚水衮 猪犬者 骚马蚤 他人也 你人尔 混水昆 障耳章 狼犬良 痴病知 神示申 操手喿 "
    "泼水发 赔贝咅 妈女马 贱贝戋 婊女表 骗马扁 蛋疋虫 杂九木 种禾中 屎尸米 娘女良 物牛勿 "
    "垃土立 圾土及"
)
EMOJI: Final = table("妈🐴 马🐴 狗🐶 屎💩 蛋🥚 猪🐷 鸡🐔 龟🐢 死💀 牛🐮 鸟🐦 鬼👻 爷👴")

MECHANICAL: Final[Mapping[str, Transform]] = {
    "zero-width": between("\u200b\u200d\ufeff\u2060"),
    "punctuation": between("…，·-_~*|/"),
    "emoji between": between("😡💢😅"),
    "gap": between(" \u3000"),
    "traditional": TRADITIONAL,
    "repeat": repeated,
    "pinyin": latin,
    "pinyin, mixed": half_spelled,
    "homophone": sounding_alike,
    "fullwidth": letters_at(ord("ａ")),
    "mathematical": letters_at(0x1D41A),
    "cyrillic": spelled_with("aа eе oо cс xх iі"),
    "leet": spelled_with("a@ i1 o0 s5"),
    "mask": masked("*"),
}
STRICT: Final = ("zero-width", "punctuation", "emoji between", "gap", "traditional", "repeat")

COLUMN: Final = "a character a line"
PEOPLES: Final[Mapping[str, Transform]] = {
    "emoji words": EMOJI,
    "stray letter": stray("axo"),
    "stray digit": stray("137"),
    COLUMN: "\n".join,
    "short mask": short_masked("*"),
    "short mask, cross": short_masked("×"),
    "parts": PARTS,
    "parts, loose": LOOSE_PARTS,
    "mixed latin": half_abbreviated,
    "initials": lambda word: initials(word) if len(word) > PAIR else word,
    "reversed": lambda word: word[::-1] if len(word) > PAIR else word,
}
