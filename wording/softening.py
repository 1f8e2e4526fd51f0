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
_SOFT: Final = re.compile(
    rf"(?:亲|抱歉|不好意思|对不起|你好)*(?P<bare>.+?)的?(?:亲|{'|'.join(_PARTICLES)})*"
)


def is_softened(folded: str, written: str) -> bool:
    """Tell whether a softening word stands in what surrounds a finding."""
    return RESPECTFUL in written or any(word in folded for word in SOFTENERS)


def bare(plain: str) -> tuple[int, int] | None:
    """Answer where a short message stands without what softens it; None if nothing does."""
    found = _SOFT.fullmatch(plain)
    if found is None or found["bare"] in SOFTENERS:
        return None
    span = found.span("bare")
    return None if span == (0, len(plain)) else span
