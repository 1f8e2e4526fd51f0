"""What makes an agent's tone softer, and does not excuse what he says.

It knows the words alone; `context` makes such a finding one step milder.
"""

import re
from typing import Final

from wording.model import Category

TONE: Final = frozenset(
    {
        Category.COMMAND,
        Category.QUESTIONING,
        Category.COLD,
        Category.BARGAIN_REFUSAL,
        Category.SHIRKING,
    }
)
"""The categories in which an agent may be right and yet sound rude."""

_PARTICLES: Final = ("哦", "噢", "呢", "哈", "呀", "啦", "哒", "呐")
SOFTENERS: Final = frozenset({*_PARTICLES, "亲", "亲亲", "抱歉", "不好意思", "对不起"})
"""A finding of tone beside one of these is one step milder."""

RESPECTFUL: Final = "您"
ADDRESSED: Final = "你"
"""The first reads as the second; a companion or an excuse with it is looked for as written."""

LONGEST_ANSWER: Final = 16
"""A curt answer with all that softens it."""
LAST: Final = frozenset({*_PARTICLES, "亲"})
FIRST: Final = frozenset("亲抱不对你")
"""What a short message ends or begins with that may be softened."""
_OPENING: Final = re.compile("亲|抱歉|不好意思|对不起|你好")
_CLOSING: Final = "".join(LAST)


def is_softened(folded: str, written: str) -> bool:
    """Tell whether a softening word stands in what surrounds a finding."""
    return RESPECTFUL in written or any(word in folded for word in SOFTENERS)


def bare(plain: str) -> tuple[int, int] | None:
    """Answer where a short message stands without what softens it; None if nothing does."""
    start = before = 0
    while opening := _OPENING.match(plain, start):
        before, start = start, opening.end()
    if start == len(plain):
        start = before  # nothing but openings: the last of them is what is said
    end = max(len(plain[start:].rstrip(_CLOSING)), 1) + start
    if end - 1 > start and plain[end - 1] == "的":
        end -= 1
    if plain[start:end] in SOFTENERS or (start, end) == (0, len(plain)):
        return None
    return start, end
