"""Finds candidates: runs the automata over the streams of one message and maps spans back.

It knows patterns and places; whether a candidate counts is decided in `context`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import daachorse

from wording.folding import Entry, Folding, invisible, spans
from wording.forms import Form, Stream, by_pattern, squeeze
from wording.model import Flag, Speaker, Why

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
        origin = spans(self.text, table, length=len(text))
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

    __slots__ = ("_heard", "_plain", "_refused", "_whole")

    def __init__(
        self, forms: Sequence[Form], *, refused: frozenset[tuple[str, str]] = frozenset()
    ) -> None:
        self._refused = refused
        self._whole = by_pattern(form for form in forms if form.whole)
        kept = [form for form in forms if not form.whole and not _is_refused(form, refused)]
        self._plain = Scan(Stream.PLAIN, kept)
        self._heard = Scan(Stream.SOUND, kept)

    def candidates(self, reading: Reading, speaker: Speaker | None = None) -> list[Candidate]:
        """Answer what may be a hit of this speaker (None: of anybody) and the allow spans."""
        plain = self._plain.find(reading.plain)
        heard = self._heard.find(reading.heard)
        found: list[Candidate] = []
        if plain:
            found.extend(self._place(self._plain, plain, reading, speaker))
        if heard:
            found.extend(self._place(self._heard, heard, reading, speaker))
        if plain and self._plain.has_runs(plain) or heard and self._heard.has_runs(heard):
            found.extend(self._repeated(reading, speaker))
        if reading.plain in self._whole:
            found.extend(self._wholes(reading, speaker))
        return found

    def _place(
        self, scan: "Scan", hits: list[Found], reading: Reading, speaker: Speaker | None
    ) -> Iterable[Candidate]:
        if not scan.matters(hits, speaker, gapped=len(reading.plain) != len(reading.text)):
            return ()
        return self._examine(scan, hits, reading.track(scan.stream), reading, speaker=speaker)

    def _repeated(self, reading: Reading, speaker: Speaker | None) -> Iterator[Candidate]:
        for scan in (self._plain, self._heard):
            track = reading.track(scan.stream, squeezed=True)
            yield from self._examine(
                scan, scan.find(track.text), track, reading, speaker=speaker
            )

    def _examine(
        self,
        scan: "Scan",
        hits: list[Found],
        track: Track,
        reading: Reading,
        *,
        speaker: Speaker | None,
    ) -> Iterator[Candidate]:
        limited = len(hits) > MAX_CANDIDATES
        seen: dict[int, int] = {}
        for start, end, number in hits:
            if limited:
                seen[number] = seen.get(number, 0) + 1
                if seen[number] > MAX_PER_FORM:
                    continue
            for form in scan.forms[number]:
                if not form.spoken_by(speaker):
                    continue
                candidate = examine(form, reading, track, start=start, end=end)
                if candidate and (form.term_id, candidate.disguise) not in self._refused:
                    yield candidate

    def _wholes(self, reading: Reading, speaker: Speaker | None) -> Iterator[Candidate]:
        track = reading.track(Stream.PLAIN)
        for form in self._whole[reading.plain]:
            if form.spoken_by(speaker):
                candidate = examine(form, reading, track, start=0, end=len(reading.plain))
                if candidate:
                    yield candidate


def _is_refused(form: Form, refused: frozenset[tuple[str, str]]) -> bool:
    """Leave out what could only be refused later: a form whose own disguise was."""
    return (form.term_id, form.why.value) in refused


class Scan:
    """One automaton, the forms behind each of its patterns, and which patterns matter to whom."""

    __slots__ = ("_agent", "_anybody", "_buyer", "_first_run", "find", "forms", "stream")

    def __init__(self, stream: Stream, forms: Iterable[Form]) -> None:
        self.stream = stream
        grouped = by_pattern(form for form in forms if form.stream is stream)
        runs = [run for run in _runs(grouped) if run not in grouped]
        self.find = _finder([*grouped, *runs])
        self.forms = [*grouped.values(), *([] for _ in runs)]
        self._first_run = len(grouped)
        self._agent, self._buyer, self._anybody = (
            bytes(_weight(forms, speaker) for forms in self.forms)
            for speaker in (Speaker.AGENT, Speaker.BUYER, None)
        )

    def has_runs(self, hits: list[Found]) -> bool:
        """Tell whether the message holds repetitions that may hide a term."""
        first = self._first_run
        for hit in hits:
            if hit[2] >= first:
                return True
        return False

    def matters(self, hits: list[Found], speaker: Speaker | None, *, gapped: bool) -> bool:
        """Tell cheaply whether any hit is worth mapping back; most messages end here.

        Tables and plain loops instead of a dictionary by speaker and `any`: hashing an enum and
        starting a generator cost more than the automaton does.
        """
        if speaker is Speaker.AGENT:
            weights = self._agent
        else:
            weights = self._buyer if speaker is Speaker.BUYER else self._anybody
        enough = _FAINT if gapped else _FULL
        for hit in hits:
            if weights[hit[2]] >= enough:
                return True
        return False


_FAINT, _FULL = 1, 2


def _weight(forms: Iterable[Form], speaker: Speaker | None) -> int:
    """Weigh a pattern: of no interest, only where the message has gaps, or in any case."""
    terms = [form for form in forms if form.term is not None and form.spoken_by(speaker)]
    if not terms:
        return 0
    return _FAINT if all(form.gap_at is not None for form in terms) else _FULL


def _finder(patterns: list[str]) -> Callable[[str], list[Found]]:
    if not patterns:
        return _find_nothing
    automaton = daachorse.CharwiseDoubleArrayAhoCorasick(patterns)
    return automaton.find_overlapping


def _find_nothing(_: str) -> list[Found]:
    return []


def _runs(grouped: Mapping[str, list[Form]]) -> list[str]:
    """Answer the repetitions that can hide a term: a character thrice, or two neighbours twice.

    A doubled character at either end of a term hides nothing, the rest of it still matches.
    """
    found: set[str] = set()
    for pattern, forms in grouped.items():
        if all(form.term is None or form.why not in _REPEATABLE for form in forms):
            continue
        found.update(char * 3 for char in pattern)
        found.update(a * 2 + b * 2 for a, b in pairwise(pattern) if a != b)
    return sorted(found)


_REPEATABLE = frozenset({Why.LITERAL, Why.HOMOPHONE})


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
    Why.MASK,
    Why.INITIALS,
    Why.HOMOPHONE,
    Why.PINYIN,
    Why.REPEAT,
    Why.GAP,
)
