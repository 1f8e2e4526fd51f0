"""Spells out the disguises of a term as patterns: plain, pinyin, initials, mask, split, shape.

Pure; it knows characters and flags, not messages.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import islice, product

import msgspec

from wording.folding import Folding
from wording.frames import Frame
from wording.model import ABUSE, Flag, Severity, Speaker, Term, Why

# Disguises multiply with length; a term of eight characters has 255 pinyin forms. Beyond this
# limit each kind of disguise keeps its first forms.
MAX_FORMS_PER_DISGUISE = 128
MAX_DISGUISED_CHARS = 6
# One character of two or three drawn otherwise is another word: 无聊 and 无耻, 吃午饭 and 吃干饭.
SHORTEST_DRAWN = 4
# Two initials or one visible character of two say nothing.
SHORTEST_ABBREVIATED = 2
# Read backwards, two characters are often a word of their own, and nobody reads a sentence so.
SHORTEST_REVERSED = 3
LONGEST_MIXED = 4
MASK_LETTERS = "x某"


class Stream(Enum):
    """Which reading of the message a pattern is looked up in."""

    PLAIN = "plain"
    SOUND = "sound"


class Form(msgspec.Struct, frozen=True, gc=False):
    """One pattern of one term.

    `expect` lists the Han characters of a sound pattern with their places: all present means the
    characters themselves were written, else only their sound was. `gap_at` is the place in the
    pattern where a masking sign must stand in the original. `term` None is an allow span. `frame`:
    the pattern is a pivot, and counts only with what the frame wants around it. A lexicon has 150
    thousand: a struct is made in a fourth of the time.
    """

    pattern: str
    stream: Stream
    term: Term | None
    why: Why
    expect: tuple[tuple[int, str], ...] = ()
    gap_at: int | None = None
    normalised: str = ""
    frame: Frame | None = None

    @property
    def term_id(self) -> str:
        """The id of the term, empty for an allow span."""
        return "" if self.term is None else self.term.id

    @property
    def whole(self) -> bool:
        """Tell whether it counts only as the whole message."""
        return self.term is not None and Flag.WHOLE in self.term.flags

    def spoken_by(self, speaker: Speaker | None) -> bool:
        """Tell whether it concerns a speaker (None: anybody)."""
        term = self.term
        return term is None or speaker is None or term.speaker is None or term.speaker is speaker


@dataclass(frozen=True, slots=True)
class Speller:
    """Makes the forms of terms and allow spans out of the character data it is given."""

    folding: Folding
    splits: Mapping[str, tuple[str, ...]]
    shapes: Mapping[str, tuple[str, ...]]

    def forms(self, term: Term) -> Iterator[Form]:
        """Answer every form of a term, the literal one of each text first."""
        seen: set[tuple[str, Stream]] = set()
        for text in term.texts:
            for form in self._spell(self.folding.fold(text), term, flags=term.flags):
                if (form.pattern, form.stream) not in seen:
                    seen.add((form.pattern, form.stream))
                    yield form

    def framed(self, frame: Frame) -> Iterator[Form]:
        """Answer a form for each pivot of a frame."""
        term = frame.term
        for text in frame.pivots:
            pivot = self.folding.fold(text)
            yield Form(pivot, Stream.PLAIN, term, Why.LITERAL, normalised=pivot, frame=frame)

    def allowed(self, text: str) -> Iterator[Form]:
        """Answer the forms of an allow span of the house: as written, and partly disguised.

        A masked 傻X相机 or a mixed bian态辣 still says which word it is. What merely sounds or
        looks like one, or has its initials, is not what was allowed.
        """
        folded = self.folding.fold(text)
        flags = _ALLOW_FLAGS if len(folded) > SHORTEST_ABBREVIATED else frozenset({Flag.SPLIT})
        for form in self._spell(folded, None, flags=flags):
            if form.why is not Why.PINYIN or form.expect:
                yield form

    def allowed_as_written(self, text: str) -> Iterator[Form]:
        """Answer the one form of an allow span of a shop: as written, gaps apart.

        What merely sounds or looks like it is not what the shop allowed: 纸张 would let 智障 pass.
        """
        if folded := self.folding.fold(text):
            yield Form(folded, Stream.PLAIN, None, Why.LITERAL, normalised=folded)

    def _spell(self, text: str, term: Term | None, *, flags: frozenset[Flag]) -> Iterator[Form]:
        if not text:
            return
        yield Form(text, Stream.PLAIN, term, Why.LITERAL, normalised=text)
        if not 1 < len(text) <= MAX_DISGUISED_CHARS or not self._is_han(text):
            return
        for disguised in self._disguises(text, term, flags):
            yield from islice(disguised, MAX_FORMS_PER_DISGUISE)

    def _disguises(
        self, text: str, term: Term | None, flags: frozenset[Flag]
    ) -> Iterator[Iterator[Form]]:
        if Flag.HOMOPHONE in flags:
            yield self._homophone(text, term)
        if Flag.PINYIN in flags:
            yield self._pinyin(text, term)
        if Flag.SPLIT in flags:
            yield self._split(text, term)
        if Flag.SHAPE in flags and len(text) >= SHORTEST_DRAWN:
            yield self._look_alikes(text, term)
        if len(text) > SHORTEST_ABBREVIATED:
            if Flag.INITIALS in flags:
                yield self._initials(text, term)
            if Flag.MASK in flags:
                yield _masks(text, term)
        if term is not None and term.category in ABUSE and len(text) <= LONGEST_MIXED:
            yield from self._of_abuse(text, term)

    def _of_abuse(self, text: str, term: Term) -> Iterator[Iterator[Form]]:
        """Answer what no flag asks for, since the words are beyond doubt."""
        if not term.flags.isdisjoint({Flag.INITIALS, Flag.PINYIN}):
            yield self._mixed(text, term)
        if len(text) >= SHORTEST_REVERSED and term.severity is Severity.HIGH:
            yield _reversed(text, term)

    def _is_han(self, text: str) -> bool:
        return all(self.folding.reading(char) for char in text)

    def _homophone(self, text: str, term: Term | None) -> Iterator[Form]:
        heard = text.translate(self.folding.sound)
        yield Form(
            heard, Stream.SOUND, term, Why.HOMOPHONE, tuple(enumerate(text)), normalised=text
        )

    def _initials(self, text: str, term: Term | None) -> Iterator[Form]:
        letters = "".join((self.folding.reading(char) or "")[0] for char in text)
        yield Form(letters, Stream.SOUND, term, Why.INITIALS, normalised=text)

    def _mixed(self, text: str, term: Term) -> Iterator[Form]:
        """Answer what leaves the first character and abbreviates others: 操nm, 王b蛋."""
        heard = text.translate(self.folding.sound)
        letters = [(self.folding.reading(char) or "")[0] for char in text]
        for kept in islice(product((True, False), repeat=len(text) - 1), 1, None):
            picks = (True, *kept)
            pattern = "".join(
                code if pick else letter
                for pick, code, letter in zip(picks, heard, letters, strict=True)
            )
            expect = tuple((at, text[at]) for at, pick in enumerate(picks) if pick)
            yield Form(pattern, Stream.SOUND, term, Why.MIXED, expect, normalised=text)

    def _pinyin(self, text: str, term: Term | None) -> Iterator[Form]:
        heard = text.translate(self.folding.sound)
        choices = [
            ((code, char), (self.folding.reading(char) or "", ""))
            for code, char in zip(heard, text, strict=True)
        ]
        for picks in islice(product(*choices), 1, None):
            expect: list[tuple[int, str]] = []
            at = 0
            for spelled, char in picks:
                if char:
                    expect.append((at, char))
                at += len(spelled)
            pattern = "".join(spelled for spelled, _ in picks)
            yield Form(pattern, Stream.SOUND, term, Why.PINYIN, tuple(expect), normalised=text)

    def _split(self, text: str, term: Term | None) -> Iterator[Form]:
        choices = [(char, *self.splits.get(char, ())) for char in text]
        for picks in islice(product(*choices), 1, None):
            # Folded, for people write a whole character for a part of one: 人尔, 犬句.
            pattern = self.folding.fold("".join(picks))
            yield Form(pattern, Stream.PLAIN, term, Why.SPLIT, normalised=text)

    def _look_alikes(self, text: str, term: Term | None) -> Iterator[Form]:
        for at, char in enumerate(text):
            for other in self.shapes.get(char, ()):
                pattern = self.folding.fold(text[:at] + other + text[at + 1 :])
                yield Form(pattern, Stream.PLAIN, term, Why.SHAPE, normalised=text)


def _masks(text: str, term: Term | None) -> Iterator[Form]:
    for at in range(1, len(text) - 1):
        left, right = text[:at], text[at + 1 :]
        yield Form(left + right, Stream.PLAIN, term, Why.MASK, gap_at=at, normalised=text)
        for letter in MASK_LETTERS:
            yield Form(left + letter + right, Stream.PLAIN, term, Why.MASK, normalised=text)


def _reversed(text: str, term: Term) -> Iterator[Form]:
    backwards = text[::-1]
    if backwards != text:
        yield Form(backwards, Stream.PLAIN, term, Why.REVERSED, normalised=text)


def run_starts(text: str) -> list[int]:
    """Answer where each run of one character begins; most runs are a single one."""
    return [at for at, char in enumerate(text) if at == 0 or text[at - 1] != char]


def by_pattern(forms: Iterable[Form]) -> dict[str, list[Form]]:
    """Group forms by pattern: the automaton wants each pattern once."""
    grouped: dict[str, list[Form]] = {}
    for form in forms:
        grouped.setdefault(form.pattern, []).append(form)
    return grouped


_ALLOW_FLAGS = frozenset({Flag.PINYIN, Flag.MASK, Flag.SPLIT})
