"""Finds candidates: runs the automata over the streams of one message.

It knows patterns and speakers; `examine` checks each match, `context` decides what counts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import daachorse
from msgspec.structs import replace

from wording.examine import Candidate, examine, has_run
from wording.forms import MAX_DISGUISED_CHARS, Form, Stream, by_pattern
from wording.model import Speaker, Term, Why
from wording.pairs import by_first
from wording.reading import Reading, Track
from wording.softening import ADDRESSED, FIRST, LAST, LONGEST_ANSWER, RESPECTFUL, bare

Found = tuple[int, int, int]

# A flood of matches is examined at most so often per pattern: work stays linear in the message.
MAX_MATCHES = 256
MAX_PER_PATTERN = 8
# Looking a pattern up in the text costs a pass; more faint hits than these are mapped back instead.
MAX_FAINT = 8


class Matcher:
    """The automata of one set of forms. Immutable; safe to share between threads."""

    __slots__ = ("_heard", "_plain", "_refused", "_whole", "pairs")

    def __init__(
        self,
        forms: Sequence[Form],
        *,
        refused: frozenset[tuple[str, str]] = frozenset(),
        sheltering: bool = False,
    ) -> None:
        """Build the automata. `sheltering`: allow spans matter to the hits of another matcher."""
        self._refused = refused
        self._whole = by_pattern(form for form in forms if form.whole)
        kept = [form for form in forms if not form.whole and not _is_refused(form, refused)]
        self.pairs = by_first(kept)
        self._plain = Scan(Stream.PLAIN, kept, sheltering=sheltering)
        self._heard = Scan(Stream.SOUND, kept, sheltering=sheltering)

    @property
    def patterns(self) -> int:
        """How many patterns it looks for, which is what it costs to build."""
        return len(self._plain.forms) + len(self._heard.forms) + len(self._whole)

    def candidates(self, reading: Reading, speaker: Speaker | None = None) -> list[Candidate]:
        """Answer what may be a hit of this speaker (None: of anybody) and the allow spans."""
        plain = self._plain.find(reading.plain)
        heard = self._heard.find(reading.heard)
        text = reading.plain
        whole = None
        if text in self._whole:
            whole = (0, len(text))
        elif 0 < len(text) <= LONGEST_ANSWER and (text[-1] in LAST or text[0] in FIRST):
            whole = self._softened(text)
        if whole is None and not plain and not heard:
            return []
        found: list[Candidate] = []
        sounds = bool(heard) and self._heard.matters(heard, speaker, reading)
        # An allow span as it is written shelters what merely sounds like a term, too.
        if plain and (sounds or self._plain.matters(plain, speaker, reading)):
            found.extend(self._place(self._plain, plain, reading, speaker=speaker))
        if sounds:
            found.extend(self._place(self._heard, heard, reading, speaker=speaker))
        if self._plain.has_runs(plain) or self._heard.has_runs(heard):
            found.extend(self._repeated(reading, speaker))
        if whole is not None:
            found.extend(self._wholes(reading, speaker, span=whole))
        return found

    def allowed(self, reading: Reading) -> list[Candidate]:
        """Answer the allow spans alone, whether or not anything stands in them."""
        found = self._plain.find(reading.plain)
        placed = self._place(self._plain, found, reading, speaker=None)
        return [one for one in placed if one.form.term is None]

    def _softened(self, plain: str) -> tuple[int, int] | None:
        """Answer where what counts only as a whole message stands amid softening words."""
        span = bare(plain)
        return span if span and plain[span[0] : span[1]] in self._whole else None

    def _place(
        self, scan: "Scan", hits: list[Found], reading: Reading, *, speaker: Speaker | None
    ) -> Iterable[Candidate]:
        return self._examine(
            scan, hits, reading.track(scan.stream), reading=reading, speaker=speaker
        )

    def _repeated(self, reading: Reading, speaker: Speaker | None) -> Iterator[Candidate]:
        """Look again with every run reduced to one; the map back is made only if it matters."""
        hits = {
            scan: scan.find(reading.squeezed(scan.stream)) for scan in (self._plain, self._heard)
        }
        if not any(scan.matters(found, speaker, None) for scan, found in hits.items()):
            return
        for scan, found in hits.items():
            track = reading.track(scan.stream, squeezed=True)
            yield from self._examine(scan, found, track, reading=reading, speaker=speaker)

    def _examine(
        self,
        scan: "Scan",
        hits: list[Found],
        track: Track,
        *,
        reading: Reading,
        speaker: Speaker | None,
    ) -> Iterator[Candidate]:
        limited = len(hits) > MAX_MATCHES
        seen: dict[int, int] = {}
        for start, end, number in hits:
            if track.squeezed and not has_run(track, start, end):
                continue
            if limited:
                seen[number] = seen.get(number, 0) + 1
                if seen[number] > MAX_PER_PATTERN:
                    continue
            for form in scan.forms[number]:
                if not form.spoken_by(speaker):
                    continue
                if form.frame is not None:
                    candidate = _framed(form, reading, track, start=start, end=end)
                else:
                    candidate = examine(form, reading, track, start=start, end=end)
                if candidate and (form.term_id, candidate.disguise) not in self._refused:
                    yield candidate

    def _wholes(
        self, reading: Reading, speaker: Speaker | None, *, span: tuple[int, int]
    ) -> Iterator[Candidate]:
        track = reading.track(Stream.PLAIN)
        start, end = span
        for form in self._whole[reading.plain[start:end]]:
            if form.spoken_by(speaker):
                candidate = examine(form, reading, track, start=start, end=end)
                if candidate:
                    yield candidate


def _framed(
    form: Form, reading: Reading, track: Track, *, start: int, end: int
) -> Candidate | None:
    """Answer the frame that stands around a pivot; a text with its runs squeezed has none."""
    if form.frame is None or track.squeezed:
        return None
    span = form.frame.around(reading.plain, start, end)
    if span is None:
        return None
    whole = replace(form, normalised=reading.plain[slice(*span)])
    return examine(whole, reading, track, start=span[0], end=span[1])


def _is_refused(form: Form, refused: frozenset[tuple[str, str]]) -> bool:
    """Leave out what could only be refused later: a form whose own disguise was."""
    return (form.term_id, form.why.value) in refused


class Scan:
    """One automaton, the forms behind each of its patterns, and which patterns matter to whom."""

    __slots__ = (
        "_agent",
        "_anybody",
        "_buyer",
        "_first_run",
        "_patterns",
        "find",
        "forms",
        "stream",
    )

    def __init__(self, stream: Stream, forms: Iterable[Form], *, sheltering: bool) -> None:
        self.stream = stream
        grouped = by_pattern(form for form in forms if form.stream is stream)
        runs = [run for run in _runs(grouped) if run not in grouped]
        self._patterns = (*grouped, *runs)
        self.find = _finder(self._patterns)
        self.forms = [*grouped.values(), *([] for _ in runs)]
        self._first_run = len(grouped)
        self._agent, self._buyer, self._anybody = (
            _weights(self.forms, speaker, sheltering=sheltering)
            for speaker in (Speaker.AGENT, Speaker.BUYER, None)
        )

    def has_runs(self, hits: list[Found]) -> bool:
        """Tell whether the message holds repetitions that may hide a term."""
        return bool(hits) and max(hit[2] for hit in hits) >= self._first_run

    def matters(self, hits: list[Found], speaker: Speaker | None, reading: Reading | None) -> bool:
        """Tell cheaply whether any hit is worth mapping back; most messages end here.

        A form with a masked place counts only where the original has a sign there: not if every
        hit of its pattern stands in the text as it is. A term that needs companions counts only
        where the message has them at all. `reading` None: the hits are of another text than the
        message's own.
        """
        if speaker is Speaker.AGENT:  # hashing an enum costs as much as a scan
            weights = self._agent
        else:
            weights = self._buyer if speaker is Speaker.BUYER else self._anybody
        faint: list[int] = []
        needy: set[int] = set()
        for _, _, number in hits:
            weight = weights[number]
            if weight == _FULL:
                return True
            if weight == _FAINT:
                faint.append(number)
            elif weight == _NEEDY:
                needy.add(number)
        if any(self._has_company(one, speaker, reading) for one in needy):
            return True
        if not faint or reading is None:
            return bool(faint)
        if len(reading.plain) == len(reading.text):
            return False
        if len(faint) > MAX_FAINT:
            return True
        # 您 folds to 你 and is no sign: without this, each 您的 would look like a masked 你妈的.
        text, patterns = reading.text.replace(RESPECTFUL, ADDRESSED), self._patterns
        return any(text.count(patterns[one]) < faint.count(one) for one in faint)

    def _has_company(self, number: int, speaker: Speaker | None, reading: Reading | None) -> bool:
        """Tell whether what some term of a pattern needs stands in the message, near or far."""
        return reading is None or any(
            form.term is not None
            and form.spoken_by(speaker)
            and _may_be_accompanied(form.term, reading)
            for form in self.forms[number]
        )


_FAINT, _FULL, _NEEDY = 1, 2, 3


def _may_be_accompanied(term: Term, reading: Reading) -> bool:
    return all(
        any(word in (reading.text if RESPECTFUL in word else reading.plain) for word in group)
        for group in term.needs
    )


def _weights(patterns: Iterable[list[Form]], speaker: Speaker | None, *, sheltering: bool) -> bytes:
    """Weigh every pattern; what one form alone weighs is asked once for all like it.

    Nearly every pattern is of one form, and a term has hundreds.
    """
    known: dict[tuple[int, bool], int] = {}
    weights = bytearray()
    for forms in patterns:
        if len(forms) != 1:
            weights.append(_weight(forms, speaker, sheltering=sheltering))
            continue
        key = id(forms[0].term), forms[0].gap_at is None
        weight = known.get(key)
        if weight is None:
            weight = known[key] = _weight(forms, speaker, sheltering=sheltering)
        weights.append(weight)
    return bytes(weights)


def _weight(forms: Iterable[Form], speaker: Speaker | None, *, sheltering: bool) -> int:
    """Weigh a pattern: of no interest, only where the message has gaps or company, or always."""
    spoken = [form for form in forms if form.spoken_by(speaker)]
    terms = [form for form in spoken if form.term is not None or sheltering]
    if not terms:
        return 0
    if all(form.term is not None and form.term.needs for form in terms):
        return _NEEDY
    return _FAINT if all(form.gap_at is not None for form in terms) else _FULL


def _finder(patterns: Sequence[str]) -> Callable[[str], list[Found]]:
    if not patterns:
        return _find_nothing
    automaton = daachorse.CharwiseDoubleArrayAhoCorasick(list(patterns))
    return automaton.find_overlapping


def _find_nothing(_: str) -> list[Found]:
    return []


def _runs(grouped: Mapping[str, list[Form]]) -> list[str]:
    """Answer the repetitions that can hide a term: a character thrice, or two neighbours twice.

    A doubled character at either end of a term hides nothing, the rest of it still matches.
    """
    found: set[str] = set()
    for pattern, forms in grouped.items():
        if all(form.term is None or form.frame or form.why not in _REPEATABLE for form in forms):
            continue
        if all(len(form.normalised) > MAX_DISGUISED_CHARS for form in forms):
            continue  # nobody doubles the characters of a whole sentence
        found.update(char * 3 for char in pattern)
        found.update(a * 2 + b * 2 for a, b in pairwise(pattern) if a != b)
    return sorted(found)


_REPEATABLE = frozenset({Why.LITERAL, Why.HOMOPHONE})
