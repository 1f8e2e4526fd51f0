"""Finds candidates: runs the automata over the streams of one message.

It knows patterns and speakers; `examine` checks each match, `context` decides what counts.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import filterfalse, pairwise

import daachorse
from msgspec.structs import replace

from wording.examine import Candidate, examine, has_run
from wording.forms import MAX_DISGUISED_CHARS, Form, Stream, by_pattern
from wording.model import Speaker, Term, Why
from wording.pairs import by_first
from wording.reading import Reading, Track
from wording.rereading import HIDDEN
from wording.softening import ADDRESSED, FIRST, LAST, LONGEST_ANSWER, RESPECTFUL, bare

Found = tuple[int, int, int]

# A flood of matches is examined at most so often per pattern: work stays linear in the message.
MAX_MATCHES = 256
MAX_PER_PATTERN = 8
# Looking a pattern up in the text costs a pass; more faint hits than these are mapped back instead.
MAX_FAINT = 8


class Matcher:
    """The automata of one set of forms. Immutable; safe to share between threads."""

    __slots__ = ("_longest", "_plain", "_refused", "_sounding", "_spelled", "_whole", "pairs")

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
        self._longest = max(map(len, self._whole), default=0)
        heard = [form for form in kept if form.stream is Stream.SOUND]
        self._plain = Scan(Stream.PLAIN, kept, sheltering=sheltering)
        # Apart, for most messages hold no letter that a pattern of the second kind needs.
        self._sounding = Scan(Stream.SOUND, filterfalse(_is_spelled, heard), sheltering=sheltering)
        self._spelled = Scan(Stream.SOUND, filter(_is_spelled, heard), sheltering=sheltering)

    @property
    def patterns(self) -> int:
        """How many patterns it looks for, which is what it costs to build."""
        scans = (self._plain, self._sounding, self._spelled)
        return sum(len(scan.forms) for scan in scans) + len(self._whole)

    def candidates(self, reading: Reading, speaker: Speaker | None = None) -> list[Candidate]:
        """Answer what may be a hit of this speaker (None: of anybody) and the allow spans."""
        plain = self._plain.find(reading.plain)
        sounding = self._sounding.find(reading.heard)
        spelled = [] if reading.is_bare else self._spelled.find_from_letters(reading.heard)
        whole = self._whole_span(reading.plain)
        if whole is None and not plain and not sounding and not spelled:
            return []
        found: list[Candidate] = []
        sounds = bool(sounding) and self._sounding.matters(sounding, speaker, reading)
        sounds |= bool(spelled) and self._spelled.matters(spelled, speaker, reading)
        # An allow span as it is written shelters what merely sounds like a term, too.
        if plain and (sounds or self._plain.matters(plain, speaker, reading)):
            found.extend(self._place(self._plain, plain, reading, speaker=speaker))
        if sounds:
            found.extend(self._place(self._sounding, sounding, reading, speaker=speaker))
            found.extend(self._place(self._spelled, spelled, reading, speaker=speaker))
        if self._plain.has_runs(plain) or self._sounding.has_runs(sounding):
            found.extend(self._repeated(reading, speaker))
        if whole is not None:
            found.extend(self._wholes(reading, speaker, span=whole))
        return found

    def may_spell_out(self, plain: str) -> bool:
        """Tell cheaply whether what people hide may stand in a text undisguised."""
        if self._plain.spells_out(self._plain.find(plain)):
            return True
        whole = self._whole_span(plain)
        return whole is not None and any(map(_is_hidden, self._whole[plain[slice(*whole)]]))

    def allowed(self, reading: Reading) -> list[Candidate]:
        """Answer the allow spans alone, whether or not anything stands in them."""
        found = self._plain.find(reading.plain)
        placed = self._place(self._plain, found, reading, speaker=None)
        return [one for one in placed if one.form.term is None]

    def _whole_span(self, plain: str) -> tuple[int, int] | None:
        """Answer where what counts only as a whole message stands, alone or softened."""
        if len(plain) <= self._longest and plain in self._whole:
            return 0, len(plain)
        if 0 < len(plain) <= LONGEST_ANSWER and (plain[-1] in LAST or plain[0] in FIRST):
            span = bare(plain)
            return span if span and plain[span[0] : span[1]] in self._whole else None
        return None

    def _place(
        self, scan: "Scan", hits: list[Found], reading: Reading, *, speaker: Speaker | None
    ) -> Iterable[Candidate]:
        return self._examine(
            scan, hits, reading.track(scan.stream), reading=reading, speaker=speaker
        )

    def _repeated(self, reading: Reading, speaker: Speaker | None) -> Iterator[Candidate]:
        """Look again with every run reduced to one; the map back is made only if it matters."""
        scans = (self._plain, self._sounding, self._spelled)
        hits = {scan: scan.find(reading.squeezed(scan.stream)) for scan in scans}
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


def _is_hidden(form: Form) -> bool:
    """Tell whether it is, undisguised, what people hide."""
    return form.term is not None and form.why is Why.LITERAL and form.term.category in HIDDEN


def _is_spelled(form: Form) -> bool:
    """Tell whether a pattern holds a letter or a digit beside syllables, or nothing else."""
    return any(char.isascii() for char in form.pattern)


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
        "_hidden",
        "_patterns",
        "find",
        "forms",
        "longest",
        "stream",
    )

    def __init__(self, stream: Stream, forms: Iterable[Form], *, sheltering: bool) -> None:
        self.stream = stream
        grouped = by_pattern(form for form in forms if form.stream is stream)
        runs = [run for run in _runs(grouped) if run not in grouped]
        self._patterns = (*grouped, *runs)
        self.longest = max(map(len, self._patterns), default=0)
        self.find = _finder(self._patterns)
        self.forms = [*grouped.values(), *([] for _ in runs)]
        self._first_run = len(grouped)
        self._hidden = bytes(any(map(_is_hidden, forms)) or not forms for forms in self.forms)
        self._agent, self._buyer, self._anybody = (
            _weights(self.forms, speaker, sheltering=sheltering)
            for speaker in (Speaker.AGENT, Speaker.BUYER, None)
        )

    def find_from_letters(self, text: str) -> list[Found]:
        """Answer what `find` does, looking no farther before the first letter than it must.

        Each pattern holds a letter or a digit.
        """
        first = _LETTER.search(text)
        if first is None:
            return []
        start = max(0, first.start() - self.longest)
        if not start:
            return self.find(text)
        return [(start + at, start + end, number) for at, end, number in self.find(text[start:])]

    def has_runs(self, hits: list[Found]) -> bool:
        """Tell whether the message holds repetitions that may hide a term."""
        return bool(hits) and max(hit[2] for hit in hits) >= self._first_run

    def spells_out(self, hits: list[Found]) -> bool:
        """Tell whether a term of a hidden category is written out, or may be by repetition."""
        return any(self._hidden[number] for _, _, number in hits)

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
        if any(self._has_company(number, speaker, reading) for number in needy):
            return True
        return bool(faint) and (reading is None or self._is_masked(faint, reading))

    def _is_masked(self, faint: Sequence[int], reading: Reading) -> bool:
        """Tell whether a hit of one of these patterns may stand around a sign."""
        if len(reading.plain) == len(reading.text):
            return False
        if len(faint) > MAX_FAINT:
            return True
        # 您 folds to 你 and is no sign: without this, each 您的 would look like a masked 你妈的.
        text = reading.text.replace(RESPECTFUL, ADDRESSED)
        return any(text.count(self._patterns[one]) < faint.count(one) for one in faint)

    def _has_company(self, number: int, speaker: Speaker | None, reading: Reading | None) -> bool:
        """Tell whether what some term of a pattern needs stands in the message, near or far."""
        if reading is None:
            return True
        for form in self.forms[number]:
            term = form.term
            if term is None or not form.spoken_by(speaker):
                continue
            if _may_be_accompanied(term, reading):
                return True
        return False


_FAINT, _FULL, _NEEDY = 1, 2, 3
_LETTER = re.compile("[!-~]")


def _may_be_accompanied(term: Term, reading: Reading) -> bool:
    for group in term.needs:
        for word in group:  # plain loops: a group has up to 70 words
            if word in (reading.text if RESPECTFUL in word else reading.plain):
                break
        else:
            return False
    return True


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
