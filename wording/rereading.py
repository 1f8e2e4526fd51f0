"""Second readings of a message, each made only where its sign is present.

Emoji, digits and a plus read as the characters they stand for, and one stray letter or digit
between two Han characters is left out. It knows signs, not terms; the engine judges a reading as it
does any message and keeps what stands on a sign.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wording.model import Why

REACH: Final = 12
"""How far around a sign a second reading goes."""
MOST_SIGNS: Final = 12
"""So many signs of one kind are read anew; a message full of them is not worth more."""
SHORT: Final = 64
"""A message of so many characters is read anew as a whole."""

FINGER: Final = "🖕"
_BREAK: Final = "。\n"


@dataclass(frozen=True, slots=True)
class Rereading:
    """A message as it may be meant: where each character stands in the original, and the signs.

    `signs` are places in `text`: a hit counts if it holds the character there, or, for a stray
    sign that was left out, if the two characters around the place are both in it.
    """

    why: Why
    text: str
    places: Sequence[int]
    signs: Sequence[int]

    def held(self, start: int, end: int) -> Sequence[int]:
        """Answer where in the original the signs stand that a span of the reading rests on."""
        inner = 1 if self.why is Why.STRAY else 0
        return [self.places[at] for at in self.signs if start + inner <= at < end]


_HAN: Final = "\u3400-\u9fff"
# Each begins with a class by itself, so that `re` skips to its first sign.
_STRAY: Final = re.compile(f"[0-9A-Za-z](?<=[{_HAN}].)(?=[{_HAN}])")

_EMOJI: Final[Mapping[str, tuple[str, ...]]] = {
    sign: tuple(read.split("|"))
    for signs, read in (
        ("🐴🐎", "妈|马"), ("🐶🐕🐩", "狗"), ("🐷🐖🐗🐽", "猪"), ("🐔🐓🐤🐣🐥", "鸡"),
        ("🥚🍳", "蛋"), ("💩", "屎"), ("🐢", "龟"), ("🐦🕊🦅", "鸟"), ("🐮🐂🐄", "牛"),
        ("🐑", "羊"),
        ("💀☠⚰", "死"), ("👻", "鬼"), ("👴", "爷"), ("👵", "奶奶"), ("👩", "妈"),
        ("🖊🖋✏🖍🖌", "逼|笔"), ("🌶", "辣"), ("🗑", "垃圾"), ("🤡", "小丑"), ("🧠", "脑"),
        ("🐭🐀", "鼠"), ("🐻", "熊"), ("🐒🐵", "猴"), ("🔪🗡", "杀|砍"), ("🐍", "蛇"),
        ("🐺", "狼"), ("🐛🐜", "虫"), ("🍆", "屌"), ("🌞☀", "日"), ("🌿🌱☘🍀", "草"), ("🏠", "家"),
        ("🦆", "鸭"), ("🐰🐇", "兔"), ("🍉🎃", "瓜"), ("🦐🦞", "瞎"), ("👁👀", "眼"), ("🍵", "茶"),
        ("💣", "炸"), ("👄💋", "嘴"), ("🦵", "腿"), ("👨", "爹"), ("☯", "阴"),
    )
    for sign in signs
}  # fmt: skip
_EMOJI_SIGN: Final = re.compile(f"[{''.join(_EMOJI)}]")

_PLUS: Final = re.compile("[+＋](?=[vV微薇威我扣QqWw])")
_ALONE: Final = "(?<![0-9A-Za-z.])"
# What makes a number a quantity, a size, a time or a place.
_UNMEASURED: Final = (
    "(?![0-9A-Za-z.:：%元块克斤两米厘毫个件只双套条张台瓶包盒箱袋号码楼层栋天年月日点分岁折])"
)
# 你250, 真是250, 客服250, 就是250, 你个250.
_CALLED: Final = (
    "(?:(?<=[你大]...)|(?<=真是...)|(?<=客服...)|(?<=[你就真服]是...)|(?<=[你是]个...))"
)
_DIGITS: Final[Sequence[tuple[re.Pattern[str], str]]] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (
            rf"4(?<=[去找打弄搞整砍作该怎不早快].)(?=$|[^\w]|[吧啊呀了你妈全光鬼爹是]){_UNMEASURED}",
            "死",
        ),
        (rf"4(?<=[妈爸爹娘家马].)(?=[了光啦吧]|$|[^\w]){_UNMEASURED}", "死"),
        (rf"{_ALONE}4(?=全家|你妈|[妈爹娘鬼婆货]|八婆|三八|胖子|变态)", "死"),
        (rf"8(?<=王.){_UNMEASURED}", "八"),
        (rf"{_ALONE}8(?=婆)", "八"),
        (rf"{_ALONE}2(?=[货逼比屄杆球]{_UNMEASURED}|百5|百五|愣子)", "二"),
        (r"5(?<=[2二]百.)(?![0-9十])", "五"),
        (rf"{_ALONE}(?:38|3八|三8)(?=婆)", "三八"),
        (rf"(?:38|3八|三8)(?:(?<=[死臭老骚贱]..)|(?<=[你妳您]个..)){_UNMEASURED}", "三八"),
        (rf"13(?<=[装傻煞沙]..){_UNMEASURED}", "逼"),
        (rf"250{_CALLED}{_UNMEASURED}", "二百五"),
        (_PLUS.pattern, "加"),
        (rf"748(?<=[你去]...){_UNMEASURED}|{_ALONE}748(?=吧)", "去死吧"),
    )
)  # fmt: skip
# Runs of digits that the patterns above name, each whole: a serial or a price is none of them.
_LISTED: Final = frozenset(("2", "3", "4", "5", "8", "13", "38", "250", "748"))
_RUN: Final = re.compile("[0-9]+")
# Few ranges, which cost a tenth of a long list of signs.
_RANGES: Final = "\u2600-\u27bf\U0001f300-\U0001faff"
_PICTURES: Final = re.compile(f"[{_RANGES}]")
_SEPARATING: Final = re.compile(f"[{_RANGES}](?<=[{_HAN}].)[{_HAN}][{_RANGES}](?=[{_HAN}])")
may_be_reread: Final = re.compile(
    f"[0-9A-Za-z+＋{_RANGES}](?:(?=[{_HAN}])|(?<=[{_HAN}].)|(?<=[{_RANGES}+＋]))"
).search
"""Looks quickly whether a message holds any sign."""


def rereadings(text: str) -> Iterator[Rereading]:
    """Answer the second readings that a message gives a sign for; most give none."""
    emoji = _PICTURES.search(text) is not None and _EMOJI_SIGN.search(text) is not None
    digits = dict(_digits(text))
    if emoji or digits:
        yield from _replaced(text, digits, emoji=emoji)
    strays = [found.start() for found in _first(_STRAY.finditer(text))]
    if strays:
        yield _rewritten(text, dict.fromkeys(strays, (1, "")), why=Why.STRAY)


def fingers(text: str) -> Iterator[int]:
    """Answer where a raised finger stands, which is an insult by itself."""
    at = text.find(FINGER)
    if at >= 0:
        yield at


def _replaced(
    text: str, digits: Mapping[int, tuple[int, str]], *, emoji: bool
) -> Iterator[Rereading]:
    """Read emoji and digits together, 王8🥚, and once more where an emoji has a second reading."""
    # 保💩温🐶杯 is a word with gaps.
    emoji = emoji and _SEPARATING.search(text) is None
    signs = list(_first(_EMOJI_SIGN.finditer(text))) if emoji else []
    for choice in (0, 1):
        if choice and not any(len(_EMOJI[one.group()]) > 1 for one in signs):
            return
        read = dict(digits)
        for one in signs:
            choices = _EMOJI[one.group()]
            read[one.start()] = (1, choices[min(choice, len(choices) - 1)])
        if read:
            yield _rewritten(text, read, why=Why.EMOJI if signs else Why.DIGITS)


def _digits(text: str) -> Iterator[tuple[int, tuple[int, str]]]:
    if _LISTED.isdisjoint(_RUN.findall(text)) and _PLUS.search(text) is None:
        return
    for pattern, read in _DIGITS:
        for found in _first(pattern.finditer(text)):
            yield found.start(), (len(found.group()), read)


def _first(found: Iterator[re.Match[str]]) -> Iterator[re.Match[str]]:
    return (one for _, one in zip(range(MOST_SIGNS), found, strict=False))


def _rewritten(text: str, read: Mapping[int, tuple[int, str]], *, why: Why) -> Rereading:
    """Put what is read into its places; of a long message what is around them."""
    parts: list[str] = []
    places: list[int] = []
    signs: list[int] = []
    for start, end in _windows(text, read):
        at = start
        while at < end:
            length, meant = read.get(at, (1, text[at]))
            if at in read:
                signs.extend(range(len(places), len(places) + max(1, len(meant))))
            parts.append(meant)
            places.extend([at] * (len(meant) - 1))
            at += length
            if meant:
                places.append(at - 1)
        parts.append(_BREAK)
        places.extend([min(end, len(text) - 1)] * len(_BREAK))
    return Rereading(why, "".join(parts), places, signs)


def _windows(text: str, signs: Iterable[int]) -> Iterator[tuple[int, int]]:
    if len(text) <= SHORT:
        yield 0, len(text)
        return
    start = end = 0
    for at in sorted(signs):
        if at - REACH > end:
            if end:
                yield start, end
            start = at - REACH
        end = min(len(text), at + REACH)
    yield max(0, start), end
