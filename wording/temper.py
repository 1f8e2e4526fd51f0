"""Signs of a buyer losing patience that no word carries: shouting marks and repetition.

Linear, on the buyer's path only. It must not know terms or policies.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wording.model import Severity


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of temper at a span of the original text."""

    name: str
    start: int
    end: int
    severity: Severity


# Begins with a class by itself, so that `re` skips to its first mark.
_MARKS = re.compile(r"[!！?？][!！?？]{2,}+")
_REPEATED = re.compile(r"([^\W\d_]{2,6}?)\1{2,6}+")
MIN_REPEATED_CHARS = 6


def may_hold_temper(text: str, plain: str) -> bool:
    """Look quickly whether there is anything to find."""
    return _MARKS.search(text) is not None or _repeats(plain)


def find_temper(text: str, plain: str) -> Iterator[Sign]:
    """Answer runs of three or more shouting marks, and a phrase said three times in a row."""
    for marks in _MARKS.finditer(text):
        yield Sign("temper.marks", marks.start(), marks.end(), Severity.LOW)
    if _repeats(plain):
        for phrase in _REPEATED.finditer(text):
            if len(set(phrase.group(1))) > 1:
                yield Sign("temper.repeated", phrase.start(), phrase.end(), Severity.LOW)


def _repeats(plain: str) -> bool:
    length = len(plain)
    if length < MIN_REPEATED_CHARS or len(set(plain[: length * 5 // 8])) * 2 > length:
        return False
    return len(set(plain)) * 2 <= length
