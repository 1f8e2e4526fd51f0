"""The two tables that fold text: to its plain reading and to its sound.

One pass of `str.translate` per stream; `spans` maps a stream back to the original code points.
It knows characters, not words: no lexicon here.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

from wording.glance import signs

# Every code point that folds to something lies below; the few above are replaced first.
TABLE_SIZE = 0x20000
_TABLE = Path(__file__).with_name("simplified.txt")
BARRIER = "\ufffd"
_SKIP = "\u200b"
_PRIVATE = range(0xE000, 0xF900)
_SURROGATES = range(0xD800, 0xE000)
_TAGS = 0xE0000
# Letters by category, yet nothing is drawn of them.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
_HIGH = re.compile("[\U00020000-\U0010ffff]")

# What a homograph attack borrows: letters of other scripts by the latin letter they look like.
_LOOKALIKES: Mapping[str, str] = dict(
    zip(
        "абвгдезикмнопрстухцшьћһіјѕԁԛԝґєӏүαβγδεηικνοπρστυχωϲϳıɑɡɩʀʙʜոօցսեհ",
        "abbrde3ukmhonpctyxuwbhhijsdqwreiyabydenikvonpotuxwcjiagirbhnogueh",
        strict=True,
    )
) | {
    "ü": "v",
    "ǖ": "v",
    "ǘ": "v",
    "ǚ": "v",
    "ǜ": "v",
    "п": "n",
    "т": "t",
    "Ь": "b",
    "ø": "o",
}

# Signs that say a word wherever they stand.
_SPOKEN: Mapping[str, str] = {"➕": "加", "🐧": "企鹅"}

_LEET: Mapping[str, str] = dict(zip("01345789@$", "oieastbgas", strict=True))

# Traditional forms that the conversion table leaves or resolves for other contexts; who is called
# 您 is spoken to as 你 is.
_SIMPLER: Mapping[str, str] = {
    "孃": "娘",
    "幹": "干",
    "乾": "干",
    "妳": "你",
    "祢": "你",
    "牠": "它",
    "裏": "里",
    "屍": "尸",
    "薑": "姜",
    "嬢": "娘",
    "姦": "奸",
    "嗎": "吗",
    "馬": "马",
    "煙": "烟",
    "後": "后",
    "麽": "么",
    "麼": "么",
    "您": "你",
}


# Other forms of characters that abuse is written with; the table has none of them.
_VARIANTS: Mapping[str, str] = dict(
    zip(
        "婬滛嬭惷撡孼媍癈獘恠嬾毬夘亾呌兎傚効倸姪姙婣妷尒廹徃悤慙憇敂敺昬氷汚殀疎痲瘖睏噉啗啖閙閧麤齩吿衆敎旣淸卽",
        "淫淫奶蠢操孽妇废毙怪懒球卯亡叫兔效效睬侄妊姻侄尔迫往匆惭憩叩驱昏冰污夭疏麻喑困啖啖啖闹哄粗咬告众教既清即",
        strict=True,
    )
)

# Parts of characters that have a form of their own, by the character that people write for them.
_WHOLE_PARTS: Mapping[str, str] = dict(
    zip("亻扌氵犭忄讠钅饣衤礻刂灬疒阝辶⺮⺼罒", "人手水犬心言金食衣示刀火病耳走竹月四", strict=True)
)


def _simplified() -> dict[str, str]:
    rows = _TABLE.read_text(encoding="utf-8").splitlines()
    pairs = (pair for row in rows if not row.startswith("#") for pair in row.split())
    singles = {pair[0]: pair[1] for pair in pairs}
    # Two steps are one: what is folded already must fold to itself.
    last = dict(_SIMPLER) | dict(_VARIANTS) | dict(_WHOLE_PARTS)
    return {old: last.get(new, new) for old, new in singles.items()} | last


@cache
def _readings() -> Mapping[int, str]:
    """Return the readings of each Han character, by code point.

    Its file alone: the package loads its phrases too, which take 0.12 s and 47 MB.
    """
    package = find_spec("pypinyin")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("pypinyin")
    file = Path(package.origin).with_name("pinyin_dict.py")
    spec = spec_from_file_location("pypinyin_readings", file)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("pypinyin.pinyin_dict")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[int, str] = module.pinyin_dict
    return found


def _strip_marks(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not _is_mark(one))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


def _plain(char: str, simpler: Mapping[str, str]) -> str:
    """Fold one code point: compatibility, case, marks, look-alikes, traditional; else drop it."""
    if char in _FILLERS:
        return ""
    folded = _SPOKEN.get(char) or _LOOKALIKES.get(char) or _LOOKALIKES.get(char.lower())
    if folded is None:
        folded = _strip_marks(char).casefold()
        folded = "".join(_LOOKALIKES.get(one, one) for one in folded)
    kept = (simpler.get(one, one) for one in folded if one.isalnum())
    return "".join(one for one in kept if one.isascii() or ord(one) < TABLE_SIZE)


def _toneless(char: str) -> str | None:
    """Answer the first reading of a Han character without tone, `lü` as `lv`."""
    readings: str | None = _readings().get(ord(char))
    if readings is None:
        return None
    first = readings.split(",")[0].replace("ü", "v")
    for toned in "ǖǘǚǜ":
        first = first.replace(toned, "v")
    return _strip_marks(first)


Entry = int | str | None


@dataclass(frozen=True, slots=True)
class Folding:
    """`plain` and `sound` are tables for `str.translate`; both drop what is not a letter or digit.

    In `sound` each Han character is one private code point standing for its toneless syllable, so
    that a match starts and ends on a syllable by construction; digits read as the letters they
    imitate.
    """

    plain: Sequence[Entry]
    sound: Sequence[Entry]
    syllables: Mapping[str, str]
    signs: re.Pattern[str]
    """Finds what is neither a Han character nor punctuation; most messages hold none of it."""

    def fold(self, text: str) -> str:
        """Answer the plain reading of a text."""
        return low_planes(text).translate(self.plain)

    def reading(self, char: str) -> str | None:
        """Answer the toneless pinyin of one Han character, None for anything else."""
        return self.syllables.get(char.translate(self.sound))


@cache
def folding() -> Folding:
    """Build the tables (about a third of a second); the result is immutable and shared."""
    simpler = _simplified()
    plain: list[Entry] = []
    sound: list[Entry] = []
    codes: dict[str, str] = {}
    letters: list[str] = []
    # One object an entry, whatever folds to it: a message goes through less memory.
    shared: dict[Entry, Entry] = {}
    for point in range(TABLE_SIZE):
        char = chr(point)
        folded = _folded(char, simpler)
        heard = "".join(_heard(one, codes) for one in folded) or _LEET.get(char, "")
        plain.append(shared.setdefault(entry := _entry(folded), entry))
        sound.append(shared.setdefault(entry := _entry(heard), entry))
        if any(one.isascii() for one in heard):
            letters.append(char)
    names = {code: name for name, code in codes.items()}
    return Folding(tuple(plain), tuple(sound), names, signs(letters))


def _folded(char: str, simpler: Mapping[str, str]) -> str:
    point = ord(char)
    if char == BARRIER:
        return BARRIER
    if point in _PRIVATE or point in _SURROGATES:
        return ""
    return _plain(char, simpler)


def _heard(char: str, codes: dict[str, str]) -> str:
    if char in _LEET:
        return _LEET[char]
    syllable = _toneless(char)
    if syllable is None:
        return char
    return codes.setdefault(syllable, chr(_PRIVATE.start + len(codes)))


def _entry(folded: str) -> Entry:
    if not folded:
        return None
    return ord(folded) if len(folded) == 1 else folded


def low_planes(text: str, start: int = 0) -> str:
    """Replace code points above the tables, keeping every position: tags vanish, others stand.

    None stands before `start`.
    """
    if _HIGH.search(text, start) is None:
        return text
    return "".join(_low(char) for char in text)


def _low(char: str) -> str:
    point = ord(char)
    if point < TABLE_SIZE:
        return char
    return _SKIP if point >= _TAGS else BARRIER


def spans(text: str, table: Sequence[Entry], *, length: int) -> list[int]:
    """Answer, for each character of the folded stream, the original code point it comes from.

    `length` is that of the stream; it tells the common case, in which no character expands.
    """
    origin = [at for at, char in enumerate(text) if table[ord(char)] is not None]
    if len(origin) == length:
        return origin
    widths = ((at, table[ord(text[at])]) for at in origin)
    return [at for at, entry in widths for _ in (entry if isinstance(entry, str) else "1")]


def invisible(char: str) -> bool:
    """Tell whether a dropped character cannot be seen (format characters, marks, fillers)."""
    return unicodedata.category(char) in _UNSEEN or char in _FILLERS


_UNSEEN = frozenset({"Cf", "Mn", "Me", "Cc"})
