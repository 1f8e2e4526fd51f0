"""Tells where one calls somebody names: alone, after "you", before an exclamation.

It knows what stands around a span, not which word it is.
"""

from wording.reading import Reading

# How far around a finding its company is looked for.
REACH = 16

# Words that stand right before or after a name one calls somebody.
NAMING_BEFORE = (
    "你",
    "您",
    "们",
    "就是",
    "真是",
    "这个",
    "那个",
    "是个",
    "是",
    "个",
    "太",
    "真",
    "呢",
    "死",
    "臭",
    "大",
    "老",
    "小",
    "给我",
    "群",
)
NAMING_AFTER = (
    "吧",
    "啊",
    "呀",
    "了",
    "你",
    "东西",
    "玩意",
    "客服",
    "卖家",
    "店",
    "商家",
    "们",
    "一样",
)


def edges(reading: Reading, start: int, end: int) -> tuple[bool, bool]:
    """Tell whether a clause begins where a span begins and whether one ends where it ends."""
    before = start == 0 or not reading.folded(start - 1)
    after = end == len(reading.text) or not reading.folded(end)
    return before, after


def is_named(reading: Reading, start: int, end: int, *, alone: bool = True) -> bool:
    """Tell whether a span names somebody; `alone`: also as a clause of its own."""
    before, after = edges(reading, start, end)
    if before and after:
        return alone
    ahead = reading.fold(start - REACH, start)
    behind = reading.fold(end, end + REACH)
    named = (before and alone) or ahead.endswith(NAMING_BEFORE)
    return named and (after or behind.startswith(NAMING_AFTER))
