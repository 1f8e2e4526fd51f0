"""Second readings of a message, each made only where its sign is present.

Emoji, digits and a plus read as the characters they stand for, and one stray letter or digit
between two Han characters is left out. It knows signs, not terms; the engine judges a reading as it
does any message and keeps what stands on a sign.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

from wording.glance import PICTURES, PLUS
from wording.model import ABUSE, Category, Why

HIDDEN: Final = ABUSE | {Category.OFF_PLATFORM, Category.REVIEW_INDUCEMENT}
"""What people hide, and nothing else is looked for in a second reading."""

REACH: Final = 12
"""How far around a sign a second reading goes."""
MOST_SIGNS: Final = 12
"""So many signs of one kind are read anew; a message full of them is not worth more."""
SHORT: Final = 64
"""A message of so many characters is read anew as a whole."""

FINGER: Final = "🖕"
_BREAK: Final = "。\n"


class Rereading:
    """A message as it may be meant; where its characters stand in the original is made on demand.

    It rests on signs: a hit counts if it holds what a sign was read as, or, for a stray one that
    was left out, if the two characters around its place are both in it.
    """

    __slots__ = ("_pieces", "_places", "_signs", "text", "why")

    def __init__(self, why: Why, original: str, pieces: "Sequence[_Piece]") -> None:
        self.why = why
        self.text = "".join(
            [original[at:end] if meant is None else meant for at, end, meant, _ in pieces]
        )
        self._pieces = pieces
        self._places: list[int] = []
        self._signs: list[int] = []

    @property
    def places(self) -> Sequence[int]:
        """Where in the original each character stands."""
        if not self._places:
            self._place()
        return self._places

    def held(self, start: int, end: int) -> Sequence[int]:
        """Answer where in the original the signs stand that a span of the reading rests on."""
        places = self.places
        inner = 1 if self.why is Why.STRAY else 0
        return [places[at] for at in self._signs if start + inner <= at < end]

    def _place(self) -> None:
        places = self._places
        for at, end, meant, is_sign in self._pieces:
            if meant is None:
                places.extend(range(at, end))
                continue
            if is_sign:
                self._signs.extend(range(len(places), len(places) + max(1, len(meant))))
            places.extend([at] * (len(meant) - 1))
            if meant:
                places.append(end - 1)


_Piece: TypeAlias = tuple[int, int, str | None, bool]
"""From where to where it stands, what it is read as if otherwise, and whether that is a sign."""

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

_PLUS: Final = re.compile(f"[{PLUS}](?=[vV微薇威我扣QqWw])")
_ALONE: Final = "(?<![0-9A-Za-z.])"
# What makes a number a quantity, a size, a time or a place.
_UNMEASURED: Final = (
    "(?![0-9A-Za-z.:：%元块克斤两米厘毫个件只双套条张台瓶包盒箱袋号码楼层栋天年月日点分岁折])"
)
# 你250, 真是250, 客服250, 就是250, 你个250.
_CALLED: Final = (
    "(?:(?<=[你大]...)|(?<=真是...)|(?<=客服...)|(?<=[你就真服]是...)|(?<=[你是]个...))"
)
# Beside each pattern the runs of digits of which it names one, whole: where none of them stands,
# as in a serial, a price or a date, it is not looked for.
_DIGITS: Final[Sequence[tuple[frozenset[str], re.Pattern[str], str]]] = tuple(
    (frozenset(runs.split()), re.compile(pattern), read)
    for runs, pattern, read in (
        (
            "4",
            rf"4(?<=[去找打弄搞整砍作该怎不早快].)(?=$|[^\w]|[吧啊呀了你妈全光鬼爹是]){_UNMEASURED}",
            "死",
        ),
        ("4", rf"4(?<=[妈爸爹娘家马].)(?=[了光啦吧]|$|[^\w]){_UNMEASURED}", "死"),
        ("4", rf"{_ALONE}4(?=全家|你妈|[妈爹娘鬼婆货]|八婆|三八|胖子|变态)", "死"),
        ("8", rf"8(?<=王.){_UNMEASURED}", "八"),
        ("8", rf"{_ALONE}8(?=婆)", "八"),
        ("2", rf"{_ALONE}2(?=[货逼比屄杆球]{_UNMEASURED}|百5|百五|愣子)", "二"),
        ("5", r"5(?<=[2二]百.)(?![0-9十])", "五"),
        ("38 3 8", rf"{_ALONE}(?:38|3八|三8)(?=婆)", "三八"),
        (
            "38 3 8",
            rf"(?:38|3八|三8)(?:(?<=[死臭老骚贱]..)|(?<=[你妳您]个..)){_UNMEASURED}",
            "三八",
        ),
        ("13", rf"13(?<=[装傻煞沙]..){_UNMEASURED}", "逼"),
        ("250", rf"250{_CALLED}{_UNMEASURED}", "二百五"),
        ("+", _PLUS.pattern, "加"),
        ("748", rf"748(?<=[你去]...){_UNMEASURED}|{_ALONE}748(?=吧)", "去死吧"),
    )
)  # fmt: skip
_NONE: Final = frozenset[str]()
_LONE: Final = frozenset("23458")
# What the patterns above want before or behind one digit by itself; 3天 and 2件 have none of it.
_BESIDE: Final = re.compile(
    "[0-9](?:(?=[八婆货逼比屄杆球百愣全你妈爹娘鬼三胖变了光啦吧]|$|[^\\w])"
    "|(?<=[去找打弄搞整砍作该怎不早快妈爸爹娘家马王百三].))"
)

_Digit: TypeAlias = tuple[int, tuple[int, str]]
"""Where digits stand, how many characters they are, and what they are read as."""

_LISTED: Final = frozenset[str]().union(*(runs for runs, _, _ in _DIGITS))
_RUN: Final = re.compile("[0-9]+")
_PICTURES: Final = re.compile(f"[{PICTURES}]")
_SEPARATING: Final = re.compile(f"[{PICTURES}](?<=[{_HAN}].)[{_HAN}][{PICTURES}](?=[{_HAN}])")
may_be_reread: Final = re.compile(
    f"[0-9A-Za-z{PLUS}{PICTURES}](?:(?=[{_HAN}])|(?<=[{_HAN}].)|(?<=[{PICTURES}{PLUS}]))"
).search
"""Looks quickly whether a message holds any sign."""


def rereadings(text: str, start: int = 0) -> Iterator[Rereading]:
    """Answer the second readings that a message gives a sign for; most give none.

    None stands before `start`.
    """
    runs = _LISTED.intersection(_RUN.findall(text, start))
    if runs and _LONE.issuperset(runs) and _BESIDE.search(text, start) is None:
        runs = _NONE
    if _PLUS.search(text, start):
        runs |= _LISTED.intersection("+")
    emoji = _PICTURES.search(text, start) is not None and _EMOJI_SIGN.search(text) is not None
    stray = _STRAY.search(text, start)
    if not (runs or emoji or stray):
        return
    digits = dict(_digits(text, runs, max(0, start - 1))) if runs else {}
    if emoji or digits:
        yield from _replaced(text, digits, emoji=emoji)
    if stray:
        strays = [found.start() for found in _first(_STRAY.finditer(text, start))]
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


def _digits(text: str, runs: AbstractSet[str], start: int) -> Iterator[_Digit]:
    for named, pattern, read in _DIGITS:
        if not named.isdisjoint(runs):
            for found in _first(pattern.finditer(text, start)):
                yield found.start(), (len(found.group()), read)


def _first(found: Iterator[re.Match[str]]) -> Iterator[re.Match[str]]:
    return (one for _, one in zip(range(MOST_SIGNS), found, strict=False))


def _rewritten(text: str, read: Mapping[int, tuple[int, str]], *, why: Why) -> Rereading:
    """Put what is read into its places; of a long message what is around them."""
    pieces: list[_Piece] = []
    for start, end in _windows(text, read):
        at = start
        for sign in sorted(read):
            if not at <= sign < end:
                continue  # of another window, or within what was read already
            length, meant = read[sign]
            pieces.append((at, sign, None, False))
            pieces.append((sign, sign + length, meant, True))
            at = sign + length
        pieces.append((at, end, None, False))
        last = min(end, len(text) - 1)
        pieces.append((last, last + 1, _BREAK, False))
    return Rereading(why, text, pieces)


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
