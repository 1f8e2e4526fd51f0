"""Tells where latin initials are a label of goods: a model, a size, a brand.

It knows what stands beside them; whether abuse stands near is for `context` to say.
"""

from collections.abc import Iterable
from typing import Final

from wording.examine import Candidate
from wording.reading import Reading

_REACH: Final = 8
_HYPHENS: Final = frozenset("-‐‑‒–—−－")
_GOODS: Final = ("铅笔", "橡皮", "滑板", "板鞋", "接口", "插头")
_LABELLED: Final = (
    *_GOODS,
    "笔",
    "鞋",
    "码",
    "号",
    "款",
    "型",
    "版",
    "色",
    "系列",
    "牌",
    "线",
    "有货",
    "现货",
)
_LABELS: Final = (
    *_GOODS,
    "型号",
    "款号",
    "货号",
    "编号",
    "尺码",
    "规格",
    "品牌",
    "牌子",
    "款式",
    "系列",
)


def is_label(candidate: Candidate, reading: Reading) -> bool:
    """Tell whether initials stand beside a digit, a hyphen, another latin word or goods."""
    text = reading.text
    before = _first_seen(text[at] for at in range(candidate.start - 1, -1, -1))
    after = _first_seen(text[at] for at in range(candidate.end, len(text)))
    if any(_joins(one, reading) for one in (before, after)):
        return True
    ahead = reading.fold(candidate.start - _REACH, candidate.start)
    behind = reading.fold(candidate.end, candidate.end + _REACH)
    return ahead.endswith(_LABELS) or behind.startswith(_LABELLED)


def _first_seen(chars: Iterable[str]) -> str:
    """Answer the next sign that is no space, of the few that are looked at."""
    for _, char in zip(range(_REACH), chars, strict=False):
        if not char.isspace():
            return char
    return ""


def _joins(char: str, reading: Reading) -> bool:
    if not char or char in _HYPHENS:
        return bool(char)
    folded = reading.folding.fold(char)
    return folded.isascii() and folded.isalnum()
