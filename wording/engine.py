"""The engine: one call takes a message and answers what was said, where, and what to do.

Pure and synchronous; loading its data is the only I/O. It knows policies but no shop.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from wording.context import Shelters, Weighed, weigh
from wording.direction import as_drawn
from wording.examine import Candidate
from wording.folding import Folding, folding
from wording.forms import Form, Speller
from wording.frames import frames
from wording.fuzzy import is_fuzzy, is_guess
from wording.glance import OVERRIDE
from wording.lexicon import Lexicon, read_lexicon
from wording.matching import Matcher
from wording.model import (
    ABUSE,
    Action,
    Category,
    Hit,
    Policy,
    Severity,
    Speaker,
    Term,
    Verdict,
    Why,
)
from wording.numbers import NumberKind, find_numbers, may_hold_numbers
from wording.pairs import masked_pairs, may_hold_pair
from wording.reading import Reading
from wording.rereading import HIDDEN, Rereading, fingers, may_be_reread, rereadings
from wording.temper import find_temper, may_hold_temper

# Small automata of shops' own terms, one per shop; that of the shop not heard of longest goes.
MAX_POLICIES = 256
# A message needs no more evidence than this; the strictest hits are kept.
MAX_HITS = 64
MAX_WEIGHED = 1024
PAIR: Final = 2


class Engine:
    """Checks messages against one lexicon. Immutable but for its cache; share one per process."""

    def __init__(self, lexicon: Lexicon, *, tables: Folding | None = None) -> None:
        self.lexicon_version = lexicon.version
        self._folding = tables or folding()
        self._speller = Speller(self._folding, lexicon.splits, lexicon.shapes)
        built = [form for frame in frames() for form in self._speller.framed(frame)]
        self._matcher = self._compile(
            lexicon.terms, lexicon.allow, refused=lexicon.refused, more=built
        )
        self._policies: OrderedDict[str, tuple[Policy, Matcher]] = OrderedDict()
        self._house = Policy()
        self._clean = Verdict(Action.ALLOW, (), lexicon.version)

    @classmethod
    def load(cls, folder: Path | None = None) -> "Engine":
        """Read a lexicon folder (None: the shipped one) and build the automata.

        Takes about two seconds, but where an engine of the same words is in use: that one is
        returned. Raises LexiconError naming file, line and cure.
        """
        lexicon = read_lexicon(folder)
        engine = _IN_USE.get(lexicon.version)
        if engine is None:
            engine = _IN_USE[lexicon.version] = cls(lexicon)
        return engine

    def check(
        self,
        text: str,
        *,
        speaker: Speaker,
        policy: Policy | None = None,
        product_names: Collection[str] = (),
    ) -> Verdict:
        """Judge one message. Linear in its length; never raises for any text."""
        policy = policy or self._house
        reading = Reading(text, self._folding)
        hits = self._hits(reading, speaker, policy, product_names=product_names)
        if not reading.is_bare:
            if OVERRIDE in text:
                drawn, places = as_drawn(text)
                again = Reading(drawn, self._folding)
                seen = self._hits(again, speaker, policy, product_names=product_names)
                hits.extend(_placed(hit, text, places) for hit in seen)
            first = reading.first_sign
            if may_be_reread(text, first) and not any(map(_is_sure_abuse, hits)):
                anew = rereadings(text, first)
                hits.extend(
                    self._reread(text, speaker, policy, anew=anew, product_names=product_names)
                )
        return self._verdict(hits) if hits else self._clean

    def _hits(
        self, reading: Reading, speaker: Speaker, policy: Policy, *, product_names: Collection[str]
    ) -> list[Hit]:
        text = reading.original
        candidates = self._matcher.candidates(reading, speaker)
        own: list[Candidate] = []
        if policy.extra_terms or policy.allow_spans:
            own = self._own(policy).candidates(reading, speaker)
            candidates = candidates + [one for one in own if one.form.term is not None]
        if (
            not reading.is_bare
            and len(reading.plain) != len(text)
            and may_hold_pair(text, reading.first_sign)
        ):
            candidates = [*candidates, *masked_pairs(reading, self._matcher.pairs)]
        hits: list[Hit] = []
        if candidates:
            weighed = weigh(candidates, reading, shop_spans=own, product_names=product_names)
            hits.extend(_term_hits(weighed, reading, speaker, policy=policy))
        if speaker is Speaker.BUYER:
            if may_hold_temper(text, reading.plain):
                hits.extend(_temper_hits(text, reading.plain, policy))
        elif not reading.is_bare and may_hold_numbers(reading.plain):
            hits.extend(_number_hits(text, policy, start=reading.first_sign))
        return hits

    def _reread(
        self,
        text: str,
        speaker: Speaker,
        policy: Policy,
        *,
        anew: Iterable[Rereading],
        product_names: Collection[str],
    ) -> Iterator[Hit]:
        """Judge the second readings: what counts is what people hide, on their signs."""
        for reread in anew:
            plain = self._folding.fold(reread.text)
            if not (policy.extra_terms or self._matcher.may_spell_out(plain)):
                continue
            reading = Reading(reread.text, self._folding)
            spared = self._innocent(text) if reread.why is Why.EMOJI else None
            for hit in self._hits(reading, speaker, policy, product_names=product_names):
                if hit.category not in HIDDEN or hit.why not in _SURE:
                    continue
                placed = _placed(hit, text, reread.places)
                signs = reread.held(hit.start, hit.end)
                if signs and not (spared and all(spared.cover(at, at + 1) for at in signs)):
                    yield _as_reread(placed, reread.why, policy, speaker=speaker)
        yield from _fingers(text, policy, speaker)

    def _innocent(self, text: str) -> Shelters:
        """Answer the allow spans of a message: a sign inside one is a gap, 狗💩粮."""
        found = self._matcher.allowed(Reading(text, self._folding))
        return Shelters((one.start, one.end) for one in found)

    def findings(self, text: str) -> Iterator[Candidate]:
        """Answer every candidate that counts, whoever speaks; for the corpus test and for tools."""
        reading = Reading(text, self._folding)
        return (one.candidate for one in weigh(self._matcher.candidates(reading), reading))

    def abuse_in(self, spans: Sequence[str]) -> list[str]:
        """Answer which of a shop's wished allow spans hold abuse: a leader answers for those."""
        wished = Policy(allow_spans=tuple(spans), owner="wished")
        return [
            span
            for span in spans
            if any(
                hit.action is Action.ALLOW
                for hit in self.check(span, speaker=Speaker.AGENT, policy=wished).hits
            )
        ]

    def _own(self, policy: Policy) -> Matcher:
        """Answer the automaton of a shop's own terms, built once per change of its policy."""
        kept = self._policies.get(policy.owner)
        if kept is not None and _same_terms(kept[0], policy):
            self._policies.move_to_end(policy.owner)
            return kept[1]
        matcher = self._compile(policy.extra_terms, policy.allow_spans, sheltering=True)
        self._policies[policy.owner] = (policy, matcher)
        while len(self._policies) > MAX_POLICIES:
            self._policies.popitem(last=False)
        return matcher

    def _compile(
        self,
        terms: Iterable[Term],
        allow: Iterable[str],
        *,
        refused: frozenset[tuple[str, str]] = frozenset(),
        sheltering: bool = False,
        more: Iterable[Form] = (),
    ) -> Matcher:
        forms = [*more]
        forms.extend(form for term in terms for form in self._speller.forms(term))
        spelled = self._speller.allowed_as_written if sheltering else self._speller.allowed
        forms.extend(form for text in allow for form in spelled(text))
        return Matcher(forms, refused=refused, sheltering=sheltering)

    def _verdict(self, hits: list[Hit]) -> Verdict:
        strictest = max((hit.action for hit in hits), key=lambda one: one.rank)
        return Verdict(strictest, _evidence(hits), self.lexicon_version)


_IN_USE: Final[WeakValueDictionary[str, Engine]] = WeakValueDictionary()
"""By the version of the lexicon, which is made from its content."""


def _same_terms(kept: Policy, asked: Policy) -> bool:
    return kept is asked or (
        kept.extra_terms == asked.extra_terms and kept.allow_spans == asked.allow_spans
    )


def _term_hits(
    weighed: Iterable[Weighed],
    reading: Reading,
    speaker: Speaker,
    *,
    policy: Policy,
) -> Iterator[Hit]:
    for candidate, severity, allowed in weighed:
        term = candidate.form.term
        if term is None or (speaker is Speaker.BUYER and _is_doubtful(candidate, term)):
            continue
        action = policy.action_for(term.category, severity, speaker)
        if action is Action.BLOCK and is_fuzzy(candidate):
            action = Action.CONFIRM
        yield Hit(
            category=term.category,
            severity=severity,
            term_id=term.id,
            start=candidate.start,
            end=candidate.end,
            surface=reading.original[candidate.start : candidate.end],
            normalised=candidate.form.normalised,
            why=candidate.why,
            action=Action.ALLOW if allowed and speaker is Speaker.AGENT else action,
        )


def _is_doubtful(candidate: Candidate, term: Term) -> bool:
    """Tell whether it is abuse by a guess alone: nobody is called abusive for that."""
    return term.category in ABUSE and is_guess(candidate)


def _placed(hit: Hit, text: str, places: Sequence[int]) -> Hit:
    """Answer a hit in a text as it is drawn where it stands in the original."""
    stands = places[hit.start : hit.end] or [hit.start]
    start, end = min(stands), max(stands) + 1
    return replace(hit, start=start, end=end, surface=text[start:end])


def _is_sure_abuse(hit: Hit) -> bool:
    return hit.category in ABUSE and hit.why in _SURE


def _as_reread(hit: Hit, why: Why, policy: Policy, *, speaker: Speaker) -> Hit:
    """Answer a hit of a second reading; of two characters it is too little to block for."""
    severity, action = hit.severity, hit.action
    if severity is Severity.HIGH and len(hit.normalised) <= PAIR:
        severity = Severity.MEDIUM
        action = min(
            action, policy.action_for(hit.category, severity, speaker), key=lambda one: one.rank
        )
    return replace(hit, severity=severity, action=action, why=why)


def _fingers(text: str, policy: Policy, speaker: Speaker) -> Iterator[Hit]:
    for at in fingers(text):
        yield Hit(
            category=Category.INSULT,
            severity=Severity.MEDIUM,
            term_id="emoji.finger",
            start=at,
            end=at + 1,
            surface=text[at],
            normalised=text[at],
            why=Why.EMOJI,
            action=policy.action_for(Category.INSULT, Severity.MEDIUM, speaker),
        )


def _number_hits(text: str, policy: Policy, *, start: int) -> Iterator[Hit]:
    for number in find_numbers(text, start):
        category = _CATEGORY_OF[number.kind]
        yield Hit(
            category=category,
            severity=Severity.MEDIUM,
            term_id=f"number.{number.kind}",
            start=number.start,
            end=number.end,
            surface=text[number.start : number.end],
            normalised=number.digits,
            why=Why.RULE,
            action=policy.action_for(category, Severity.MEDIUM, Speaker.AGENT),
        )


def _temper_hits(text: str, plain: str, policy: Policy) -> Iterator[Hit]:
    for sign in find_temper(text, plain):
        yield Hit(
            category=Category.ANGER,
            severity=sign.severity,
            term_id=sign.name,
            start=sign.start,
            end=sign.end,
            surface=text[sign.start : sign.end],
            normalised=sign.name,
            why=Why.RULE,
            action=policy.action_for(Category.ANGER, sign.severity, Speaker.BUYER),
        )


def _evidence(hits: list[Hit]) -> tuple[Hit, ...]:
    """Keep what says most: of nested hits of a category the longest, of too many the strictest."""
    ranked = sorted(
        hits, key=lambda hit: (-hit.action.rank, hit.start - hit.end, _PLAINNESS[hit.why])
    )
    kept: list[Hit] = []
    for hit in ranked[:MAX_WEIGHED]:
        if not any(_covers(other, hit) for other in kept):
            kept.append(hit)
        if len(kept) == MAX_HITS:
            break
    return tuple(sorted(kept, key=lambda hit: (hit.start, hit.end)))


def _covers(other: Hit, hit: Hit) -> bool:
    return other.category is hit.category and other.start <= hit.start and hit.end <= other.end


_SURE: Final = frozenset(
    {Why.LITERAL, Why.INVISIBLE, Why.GAP, Why.REPEAT, Why.TRADITIONAL, Why.LOOKALIKE}
)
"""A second reading is a guess; another guess in it is one too many."""

_PLAINNESS = {why: rank for rank, why in enumerate(Why)}

_CATEGORY_OF = {
    NumberKind.MOBILE: Category.PII_LEAK,
    NumberKind.LANDLINE: Category.PII_LEAK,
    NumberKind.IDENTITY: Category.PII_LEAK,
    NumberKind.BANK_CARD: Category.OFF_PLATFORM,
    NumberKind.QQ: Category.OFF_PLATFORM,
    NumberKind.WECHAT: Category.OFF_PLATFORM,
}
