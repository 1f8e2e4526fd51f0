"""Text that an override turns round, in the order in which a reader sees it.

It knows one sign, U+202E, which draws what follows from right to left, Han characters too.
"""

import re
from collections.abc import Sequence
from typing import Final

_RUN: Final = re.compile("\u202e([^\u202c\n\r\u2029]*)")


def as_drawn(text: str) -> tuple[str, Sequence[int]]:
    """Answer a text as it is drawn, and where in the original each of its characters stands."""
    places = list(range(len(text)))
    for run in _RUN.finditer(text):
        start, end = run.span(1)
        places[start:end] = reversed(places[start:end])
    return "".join(text[at] for at in places), places
