"""Words of two characters of which a sign hides the second: 傻*, 贱×.

One character says little, so it counts only where one calls names. It is asked only where a sign
stands behind a Han character, and it must not know policies.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from wording.examine import Candidate
from wording.forms import Form, Stream
from wording.glance import MASKS
from wording.model import ABUSE, Flag, Severity, Why
from wording.naming import edges, is_named
from wording.reading import Reading

LENGTH: Final = 2
may_hold_pair: Final = re.compile(f"[{MASKS}](?<=[\u3400-\u9fff].)").search
"""Looks quickly whether a sign stands behind a Han character."""
_MASKED: Final = re.compile(f"[{MASKS}](?<=[\u3400-\u9fff].)[{MASKS}]?(?![0-9{MASKS}])")
MOST: Final = 12
# A clause of these and a sign tells a size, a place or a colour: 长*, 大*, 白*.
_PLAIN: Final = frozenset("长宽高大小厚深上下左右前后男女老人白黑红黄一二三四五六七八九十外里中")
# These at the end of a clause tell it by themselves: 等了三天了傻*.
_TELLING: Final = frozenset("傻煞贱婊骚屌蠢畜妓娼操艹肏逼渣撚废滚痴孬馄憨怂戆杂恶呆丑烂瘪阴")


def by_first(forms: Iterable[Form]) -> Mapping[str, Form]:
    """Return for each first character the gravest word of two that may be masked."""
    found: dict[str, Form] = {}
    for form in forms:
        term, text = form.term, form.normalised
        if term is None or form.why is not Why.LITERAL or len(text) != LENGTH or text.isascii():
            continue
        if term.category not in ABUSE or Flag.MASK not in term.flags or term.needs:
            continue
        kept = found.get(text[0])
        if kept is None or _RANK[term.severity] > _rank(kept):
            found[text[0]] = form
    return found


def masked_pairs(reading: Reading, words: Mapping[str, Form]) -> Iterator[Candidate]:
    """Answer the words of two that one of the signs may hide, where one calls names."""
    for _, sign in zip(range(MOST), _MASKED.finditer(reading.text), strict=False):
        start, end = sign.start() - 1, sign.end()
        first = reading.folded(start)
        form = words.get(first)
        if form is None or form.stream is not Stream.PLAIN:
            continue
        closes = first in _TELLING and edges(reading, start, end)[1]
        if closes or is_named(reading, start, end, alone=first not in _PLAIN):
            yield Candidate(form, start, end, Why.MASK, Why.MASK.value)


def _rank(form: Form) -> int:
    return -1 if form.term is None else _RANK[form.term.severity]


_RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}
