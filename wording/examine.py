"""Checks one match against the original characters: boundaries, gaps, and which disguise it is.

Pure and per match; whether the candidate counts in its context is decided in `context`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from wording.folding import Entry, invisible
from wording.forms import Form, Stream
from wording.model import Flag, Why
from wording.reading import Reading, Track

# A gap longer than this between two characters of a term is two separate utterances.
MAX_GAP_CHARS = 6
MAX_MASK_SIGNS = 2
MASK_SIGNS = frozenset("×*○●□■◯✕✖✗⭕＊❌❎?？#＃·.-_~^&%￥$")
LINE_BREAKS = frozenset("\n\r")
CLAUSE_SIGNS = frozenset("，。！？!?,;；\n")
# A disguise of digits keeps at least so many real letters, else it is a number.
FEWEST_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form found at a span of the original text, with the disguises it needed."""

    form: Form
    start: int
    end: int
    why: Why
    disguise: str


def examine(
    form: Form, reading: Reading, track: Track, *, start: int, end: int
) -> Candidate | None:
    """Check a match against the original characters; None if it is none after all.

    In a squeezed track the match must have a run: `has_run`.
    """
    first, last = track.starts[start], track.ends[end - 1]
    if not _on_boundaries(form.pattern, reading, first=first, last=last):
        return None
    if _inside_one(track, start, end):
        return None
    gap = _gap(reading, first, last)
    together = form.term is None or form.frame is not None
    if gap is None or (gap and together and _is_broken(reading, first, last)):
        return None
    disguises = _disguises(form, reading, track, start=start, end=end)
    if disguises is None or not _gap_allowed(form, reading, track, gap=gap, start=start):
        return None
    if gap and Why.MASK not in disguises:
        disguises.add(Why.GAP)
    if track.squeezed:
        disguises.add(Why.REPEAT)
    key = "+".join(sorted(disguises))
    why = _shown(disguises, form, reading, surface=reading.text[first:last])
    return Candidate(form, first, last, why, key)


def has_run(track: Track, start: int, end: int) -> bool:
    """A doubled character inside a term is how people write 他妈妈的; two extras disguise it."""
    return sum(track.extra[start:end]) > 1


def _on_boundaries(pattern: str, reading: Reading, *, first: int, last: int) -> bool:
    """A latin end of a pattern must not continue a latin word or number."""
    if pattern[0].isascii() and _latin_before(reading, first):
        return False
    return not (pattern[-1].isascii() and _latin_after(reading, last))


def _latin_before(reading: Reading, first: int) -> bool:
    at = first - 1
    while at >= 0 and invisible(reading.text[at]):
        at -= 1
    return at >= 0 and _is_latin(reading.folded(at))


def _latin_after(reading: Reading, last: int) -> bool:
    at = last
    while at < len(reading.text) and invisible(reading.text[at]):
        at += 1
    return at < len(reading.text) and _is_latin(reading.folded(at))


def _is_latin(folded: str) -> bool:
    return folded.isascii() and folded.isalnum()


def _inside_one(track: Track, start: int, end: int) -> bool:
    """Tell whether the match begins or ends in the middle of one character, such as ㎏."""
    starts = track.starts
    if start and starts[start - 1] == starts[start]:
        return True
    return end < len(starts) and starts[end] == starts[end - 1]


def _gap(reading: Reading, first: int, last: int) -> bool | None:
    """Tell whether visible signs stand inside the span; None if too many or a new line.

    What cannot be seen is no distance, however much of it there is, and a column of single
    characters is read downwards.
    """
    longest = run = 0
    seen = broken = False
    plain = reading.folding.plain
    for char in reading.text[first:last]:
        if plain[ord(char)] is not None:
            run = 0
        elif char in LINE_BREAKS:
            broken = True
        elif char == "\t" or not invisible(char):
            run += 1
            longest = max(longest, run)
            seen = True
    if longest > MAX_GAP_CHARS or (broken and not _is_column(reading, first, last)):
        return None
    return seen or broken


def _is_broken(reading: Reading, first: int, last: int) -> bool:
    """Tell whether a clause ends inside a span that is not taken apart as a whole: 狗屎，运费."""
    surface = [char for char in reading.text[first:last] if not invisible(char)]
    if CLAUSE_SIGNS.isdisjoint(surface):
        return False
    plain = reading.folding.plain
    kept = [at for at, char in enumerate(surface) if plain[ord(char)] is not None]
    return any(after == before + 1 for before, after in pairwise(kept))


def _is_column(reading: Reading, first: int, last: int) -> bool:
    """Tell whether every line that a span touches holds one character of it and nothing else."""
    plain = reading.folding.plain
    alone = True
    for char in reading.text[first:last]:
        if char in LINE_BREAKS:
            alone = True
        elif plain[ord(char)] is not None:
            if not alone:
                return False
            alone = False
    before = reversed(reading.text[:first])
    return _line_ends(before, plain) and _line_ends(reading.text[last:], plain)


def _line_ends(chars: Iterable[str], plain: Sequence[Entry]) -> bool:
    """Tell whether nothing that is read comes before the next line break."""
    for char in chars:
        if char in LINE_BREAKS:
            return True
        if plain[ord(char)] is not None:
            return False
    return True


def _gap_allowed(form: Form, reading: Reading, track: Track, *, gap: bool, start: int) -> bool:
    if form.gap_at is not None:
        left = track.ends[start + form.gap_at - 1]
        right = track.starts[start + form.gap_at]
        signs = [one for one in reading.text[left:right] if not invisible(one)]
        return 0 < len(signs) <= MAX_MASK_SIGNS and all(one in MASK_SIGNS for one in signs)
    if not gap:
        return True
    if form.why in _WRITTEN_TOGETHER:
        return False
    return form.term is None or Flag.GAP in form.term.flags


def _disguises(
    form: Form, reading: Reading, track: Track, *, start: int, end: int
) -> set[Why] | None:
    """Answer which disguises the match needed beyond gaps, None if it is no match."""
    if form.stream is Stream.PLAIN:
        return set() if form.why is Why.LITERAL else {form.why}
    written = all(reading.folded(track.starts[start + at]) == char for at, char in form.expect)
    if form.why is Why.HOMOPHONE:
        return None if written else {Why.HOMOPHONE}
    if not _latin_enough(form, reading.text[track.starts[start] : track.ends[end - 1]]):
        return None
    if written:
        return {form.why}
    if form.why is Why.MIXED:
        return None
    homophone = form.term is not None and Flag.HOMOPHONE in form.term.flags
    return {Why.PINYIN, Why.HOMOPHONE} if homophone else None


def _latin_enough(form: Form, surface: str) -> bool:
    """Digits may imitate letters, but a number is not a word."""
    leet = sum(one in _LEET_SIGNS for one in surface)
    if not leet:
        return True
    letters = sum(one not in _LEET_SIGNS and one.isalpha() for one in surface)
    return form.why not in _ABBREVIATED and letters >= FEWEST_LETTERS


_WRITTEN_TOGETHER = frozenset({Why.MASK, Why.REVERSED})
_ABBREVIATED = frozenset({Why.INITIALS, Why.MIXED})
_LEET_SIGNS = frozenset("0123456789@$")


def _shown(disguises: set[Why], form: Form, reading: Reading, *, surface: str) -> Why:
    for why in _MOST_TELLING:
        if why in disguises:
            return why
    if surface == form.normalised:
        return Why.LITERAL
    if any(invisible(char) for char in surface):
        return Why.INVISIBLE
    changed = [char for char in surface if reading.folding.fold(char) != char.casefold()]
    if not changed:
        return Why.LITERAL
    return Why.TRADITIONAL if any("㐀" <= char <= "鿿" for char in changed) else Why.LOOKALIKE


_MOST_TELLING = (
    Why.SPLIT,
    Why.SHAPE,
    Why.REVERSED,
    Why.MASK,
    Why.MIXED,
    Why.INITIALS,
    Why.HOMOPHONE,
    Why.PINYIN,
    Why.REPEAT,
    Why.GAP,
)
