"""Finds candidates: runs the automata over the streams of one message and maps spans back.

It knows patterns and places; whether a candidate counts is decided in `context`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import daachorse

from wording.folding import Entry, Folding, invisible, spans
from wording.forms import Form, Stream, by_pattern, squeeze
from wording.model import Flag, Why

Found = tuple[int, int, int]

# A gap longer than this between two characters of a term is two separate utterances.
MAX_GAP_CHARS = 6
# A flood of candidates is examined at most so often per form: work stays linear in the message.
MAX_CANDIDATES = 4096
MAX_PER_FORM = 8
MASK_SIGNS = frozenset("×*○●□■◯✕✖✗⭕＊❌❎?？#＃·.-_~^&%￥$")
LINE_BREAKS = frozenset("\n\r\t")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form found at a span of the original text, with the disguises it needed."""

    form: Form
    start: int
    end: int
    why: Why
    disguise: str


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of a message with the original span of each of its characters."""

    stream: Stream
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    extra: Sequence[int] = ()
    squeezed: bool = False


class Reading:
    """One message and its streams; the maps back to the original are made when first needed."""

    __slots__ = ("folding", "heard", "plain", "text", "_tracks")

    def __init__(self, text: str, folding: Folding) -> None:
        self.text = text
        self.folding = folding
        self.plain: str = text.translate(folding.plain)  # type: ignore[arg-type]  # sequences will do
        self.heard: str = text.translate(folding.sound)  # type: ignore[arg-type]  # sequences will do
        self._tracks: dict[tuple[Stream, bool], Track] = {}

    def track(self, stream: Stream, *, squeezed: bool = False) -> Track:
        """Answer a stream with its map, built once."""
        key = (stream, squeezed)
        if key not in self._tracks:
            self._tracks[key] = self._make(stream, squeezed=squeezed)
        return self._tracks[key]

    def folded(self, index: int) -> str:
        """Answer what the original character at an index folds to."""
        entry: Entry = self.folding.plain[ord(self.text[index])]
        return "" if entry is None else entry if isinstance(entry, str) else chr(entry)

    def _make(self, stream: Stream, *, squeezed: bool) -> Track:
        table = self.folding.plain if stream is Stream.PLAIN else self.folding.sound
        text = self.plain if stream is Stream.PLAIN else self.heard
        origin = spans(self.text, table)
        if not squeezed:
            return Track(stream, text, origin, [at + 1 for at in origin])
        short, firsts = squeeze(text)
        lasts = [at - 1 for at in firsts[1:]] + [len(text) - 1]
        starts = [origin[at] for at in firsts]
        ends = [origin[at] + 1 for at in lasts]
        extra = [last - first for first, last in zip(firsts, lasts, strict=True)]
        return Track(stream, short, starts, ends, extra, squeezed=True)


class Matcher:
    """The automata of one set of forms. Immutable; safe to share between threads."""

    __slots__ = ("_find", "_forms", "_refused")

    def __init__(
        self, forms: Iterable[Form], *, refused: frozenset[tuple[str, str]] = frozenset()
    ) -> None:
        self._refused = refused
        self._forms: dict[Stream, list[list[Form]]] = {}
        self._find: dict[Stream, Callable[[str], list[Found]]] = {}
        kept = list(forms)
        for stream in Stream:
            grouped = by_pattern(form for form in kept if form.stream is stream)
            if stream is Stream.PLAIN:
                for pattern in _doubles(grouped):
                    grouped.setdefault(pattern, []).append(_double(pattern))
            self._forms[stream] = list(grouped.values())
            self._find[stream] = _finder(list(grouped))

    def candidates(self, reading: Reading) -> list[Candidate]:
        """Answer everything that may be a hit or an allow span, in no particular order."""
        plain = self._find[Stream.PLAIN](reading.plain)
        heard = self._find[Stream.SOUND](reading.heard)
        if not plain and not heard:
            return []
        found: list[Candidate] = []
        doubled = False
        if plain:
            doubled = any(
                form.why is Why.REPEAT for hit in plain for form in self._forms[Stream.PLAIN][hit[2]]
            )
            found.extend(self._place(plain, reading, reading.track(Stream.PLAIN)))
        if heard:
            found.extend(self._place(heard, reading, reading.track(Stream.SOUND)))
        if doubled:
            for stream in Stream:
                track = reading.track(stream, squeezed=True)
                found.extend(self._place(self._find[stream](track.text), reading, track))
        return found

    def _place(
        self, hits: list[Found], reading: Reading, track: Track
    ) -> Iterator[Candidate]:
        limited = len(hits) > MAX_CANDIDATES
        seen: dict[int, int] = {}
        for start, end, number in hits:
            if limited:
                seen[number] = seen.get(number, 0) + 1
                if seen[number] > MAX_PER_FORM:
                    continue
            for form in self._forms[track.stream][number]:
                if form.why is Why.REPEAT:
                    continue
                candidate = examine(form, reading, track, start=start, end=end)
                if candidate and not self._is_refused(candidate):
                    yield candidate

    def _is_refused(self, candidate: Candidate) -> bool:
        term = candidate.form.term
        return term is not None and (term.id, candidate.disguise) in self._refused


def _finder(patterns: list[str]) -> Callable[[str], list[Found]]:
    if not patterns:
        return _find_nothing
    automaton = daachorse.CharwiseDoubleArrayAhoCorasick(patterns)
    return automaton.find_overlapping


def _find_nothing(_: str) -> list[Found]:
    return []


def _doubles(patterns: Iterable[str]) -> list[str]:
    """Answer each character of the patterns twice: what tells that a message needs squeezing."""
    return [char * 2 for char in sorted(set("".join(patterns))) if not char.isascii()]


def _double(pattern: str) -> Form:
    return Form(pattern, Stream.PLAIN, None, Why.REPEAT)


def examine(
    form: Form, reading: Reading, track: Track, *, start: int, end: int
) -> Candidate | None:
    """Check a match against the original characters; None if it is none after all."""
    first, last = track.starts[start], track.ends[end - 1]
    if not _on_boundaries(form.pattern, reading, first, last):
        return None
    if _inside_one(track, start, end):
        return None
    repeated = track.squeezed and _has_run(track, start, end)
    if track.squeezed and not repeated:
        return None
    gap = _gap(reading, first, last)
    if gap is None:
        return None
    disguises = _disguises(form, reading, track, start=start, end=end)
    if disguises is None or not _gap_allowed(form, reading, track, gap=gap, start=start):
        return None
    if gap and Why.MASK not in disguises:
        disguises.add(Why.GAP)
    if repeated:
        disguises.add(Why.REPEAT)
    key = "+".join(sorted(disguises))
    return Candidate(form, first, last, _shown(disguises, form, reading, first, last), key)


def _on_boundaries(pattern: str, reading: Reading, first: int, last: int) -> bool:
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
    """Tell whether the match begins or ends in the middle of one original character (such as ㎏)."""
    starts = track.starts
    if start and starts[start - 1] == starts[start]:
        return True
    return end < len(starts) and starts[end] == starts[end - 1]


def _has_run(track: Track, start: int, end: int) -> bool:
    """One doubled character inside a term is how people write 他妈妈的; two extras are a disguise."""
    return sum(track.extra[at] for at in range(start, end)) > 1


def _gap(reading: Reading, first: int, last: int) -> bool | None:
    """Tell whether visible signs stand inside the span; None if they are too many or a new line."""
    longest = run = 0
    seen = False
    for at in range(first, last):
        char = reading.text[at]
        if char in LINE_BREAKS:
            return None
        if reading.folding.plain[ord(char)] is not None:
            run = 0
            continue
        run += 1
        longest = max(longest, run)
        seen = seen or not invisible(char)
    return None if longest > MAX_GAP_CHARS else seen


def _gap_allowed(form: Form, reading: Reading, track: Track, *, gap: bool, start: int) -> bool:
    if form.gap_at is not None:
        left = track.ends[start + form.gap_at - 1]
        right = track.starts[start + form.gap_at]
        signs = [one for one in reading.text[left:right] if not invisible(one)]
        return 0 < len(signs) <= 2 and all(one in MASK_SIGNS for one in signs)
    if not gap:
        return True
    if form.why is Why.MASK:
        return False
    return form.term is None or Flag.GAP in form.term.flags


def _disguises(
    form: Form, reading: Reading, track: Track, *, start: int, end: int
) -> set[Why] | None:
    """Answer which disguises the match needed beyond gaps, None if it is no match."""
    if form.stream is Stream.PLAIN:
        return set() if form.why is Why.LITERAL else {form.why}
    written = all(
        reading.folded(track.starts[start + at]) == char for at, char in form.expect
    )
    if form.why is Why.HOMOPHONE:
        return None if written else {Why.HOMOPHONE}
    if not _latin_enough(form, reading.text[track.starts[start] : track.ends[end - 1]]):
        return None
    if written:
        return {form.why}
    homophone = form.term is None or Flag.HOMOPHONE in form.term.flags
    return {Why.PINYIN, Why.HOMOPHONE} if homophone else None


def _latin_enough(form: Form, surface: str) -> bool:
    """Digits may imitate letters, but a number is not a word."""
    leet = sum(one in _LEET_SIGNS for one in surface)
    if not leet:
        return True
    letters = sum(one not in _LEET_SIGNS and one.isalpha() for one in surface)
    return form.why is not Why.INITIALS and letters >= 2


_LEET_SIGNS = frozenset("0123456789@$")


def _shown(disguises: set[Why], form: Form, reading: Reading, first: int, last: int) -> Why:
    for why in _MOST_TELLING:
        if why in disguises:
            return why
    surface = reading.text[first:last]
    if any(invisible(char) for char in surface):
        return Why.INVISIBLE
    changed = [char for char in surface if reading.folding.fold(char) != char.casefold()]
    if not changed:
        return Why.LITERAL
    return Why.TRADITIONAL if any("㐀" <= char <= "鿿" for char in changed) else Why.LOOKALIKE


_MOST_TELLING = (
    Why.SPLIT,
    Why.SHAPE,
    Why.MASK,
    Why.INITIALS,
    Why.HOMOPHONE,
    Why.PINYIN,
    Why.REPEAT,
    Why.GAP,
)
