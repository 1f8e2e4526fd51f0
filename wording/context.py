"""Decides which candidates count: allow spans, company, negation, quotation, exposure, products.

It works on candidates only, so innocent messages never reach it. It must not know policies.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from itertools import accumulate, islice
from typing import Final, NamedTuple

from wording.examine import Candidate
from wording.fuzzy import are_initials, is_fuzzy, is_likeness
from wording.labels import is_label
from wording.model import ABUSE, Category, Flag, Severity, Term, Why
from wording.naming import REACH, edges, is_named
from wording.reading import Reading
from wording.softening import RESPECTFUL, TONE, is_softened
from wording.stance import is_asked_of_others, is_of_himself, is_warning

NEGATION_REACH = 6
# Initials beside goods are meant as abuse where some stands written out so near.
ABUSE_REACH = 8
# A shop with more names than this in one call has its first ones honoured.
MAX_PRODUCT_NAMES = 2000

# Sound-alikes and look-alikes of so few characters turn up by chance.
FRAGILE_CHARS = 2

NEGATIONS = (
    "不",
    "没",
    "别",
    "勿",
    "无法",
    "未",
    "非",
    "禁止",
    "严禁",
    "杜绝",
    "拒绝",
    "谨防",
    "警惕",
    "难以",
    "防止",
    "避免",
)
# These contain a negation and negate nothing.
POLITE = (
    "不好意思",
    "不客气",
    "不用谢",
    "不用担心",
    "没问题",
    "没关系",
    "没事",
    "不错",
    "不管",
    "不但",
    "不仅",
    "信不信",
    "是不是",
    "要不要",
    "能不能",
    "对不起",
    "不然",
    "不就是",
    "要不",
)
REPORTED = ("骂我", "骂我们", "说我", "说我们", "叫我", "骂人", "辱骂", "骂过", "称我", "喊我")
QUOTES = {"“": "”", "‘": "’", "「": "」", "『": "』", "《": "》", '"': '"', "'": "'", "【": "】"}

_NEGATABLE = frozenset(
    {
        Category.OVER_PROMISE,
        Category.OFF_PLATFORM,
        Category.REVIEW_INDUCEMENT,
        Category.REASON_STEERING,
        Category.INSULT,
        Category.DISCRIMINATION,
    }
)
_OFFERS = frozenset({Category.OFF_PLATFORM, Category.REVIEW_INDUCEMENT})
_NEGATION_STARTS = frozenset(word[0] for word in NEGATIONS)
_CLAUSE_SIGNS = frozenset("，。！？!?,; ；\n")


class Weighed(NamedTuple):
    """A candidate that counts; `allowed`: an allow span of the shop holds this abuse."""

    candidate: Candidate
    severity: Severity
    allowed: bool


def weigh(
    candidates: Iterable[Candidate],
    reading: Reading,
    *,
    shop_spans: Iterable[Candidate] = (),
    product_names: Collection[str] = (),
) -> Iterator[Weighed]:
    """Answer the candidates that count, each with its severity in this context.

    What stands in an innocent span counts not at all. The one exception: abuse that a shop's own
    span would hide is let through, yet seen, for a leader answers for it.
    """
    everything = list(candidates)
    innocent = Shelters([*_spans(everything), *_product_spans(reading, product_names)])
    decided = Shelters(_spans(shop_spans))
    written = Shelters(_written_abuse(everything, innocent))
    for candidate in everything:
        term = candidate.form.term
        if term is None or innocent.cover(candidate.start, candidate.end):
            continue
        allowed = decided.cover(candidate.start, candidate.end)
        if allowed and (term.category not in ABUSE or is_likeness(candidate)):
            continue
        if not (_placed(candidate, term, reading) and _accompanied(candidate, term, reading)):
            continue
        if not _offered(candidate, term, reading):
            continue
        if _negated(candidate, term, reading) or _labels(candidate, reading, written):
            continue
        # By the term's own severity: a span with quotation marks in it would lower the other.
        if allowed and term.severity is not Severity.HIGH:
            continue
        yield Weighed(candidate, _severity(candidate, term, reading), allowed)


def _spans(candidates: Iterable[Candidate]) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in candidates if one.form.term is None]


def _written_abuse(
    candidates: Iterable[Candidate], innocent: "Shelters"
) -> Iterator[tuple[int, int]]:
    for one in candidates:
        term, written = one.form.term, one.form.normalised
        if term is None or term.category not in ABUSE or written.isascii():
            continue
        if not (is_fuzzy(one) or are_initials(one) or innocent.cover(one.start, one.end)):
            yield one.start, one.end


def _labels(candidate: Candidate, reading: Reading, written: "Shelters") -> bool:
    """Tell whether initials label goods, and no abuse written out stands near."""
    if not (are_initials(candidate) and is_label(candidate, reading)):
        return False
    return not written.near(candidate.start, candidate.end, reach=ABUSE_REACH)


class Shelters:
    """Spans of a message, asked by bisection: a message may hold thousands of them."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._farthest = list(accumulate((end for _, end in ordered), max))

    def cover(self, start: int, end: int) -> bool:
        """Tell whether one of the spans contains this one."""
        at = bisect_right(self._starts, start)
        return at > 0 and self._farthest[at - 1] >= end

    def near(self, start: int, end: int, *, reach: int) -> bool:
        """Tell whether one of the spans begins or ends within reach of this one."""
        at = bisect_right(self._starts, end + reach)
        return at > 0 and self._farthest[at - 1] >= start - reach


def _product_spans(reading: Reading, names: Collection[str]) -> Iterator[tuple[int, int]]:
    for name in islice(names, MAX_PRODUCT_NAMES):
        at = reading.text.find(name) if name else -1
        while at >= 0:
            yield at, at + len(name)
            at = reading.text.find(name, at + len(name))


def _placed(candidate: Candidate, term: Term, reading: Reading) -> bool:
    surface = reading.text[candidate.start : candidate.end]
    if term.category in ABUSE and candidate.why is Why.GAP and RESPECTFUL in surface:
        return False  # Who hides an insult does not say 您: 谢谢您~ 妹子.
    if Flag.WHOLE in term.flags:
        return True
    if Flag.CLAUSE in term.flags:
        return all(edges(reading, candidate.start, candidate.end))
    if len(candidate.form.normalised) > FRAGILE_CHARS:
        return True
    if candidate.why is not Why.MIXED and not is_likeness(candidate):
        return True
    return is_named(reading, candidate.start, candidate.end)


def _accompanied(candidate: Candidate, term: Term, reading: Reading) -> bool:
    if not term.needs and not term.unless:
        return True
    folded, written = _as_folded(candidate, reading), _as_written(candidate, reading)
    # Plain loops: a term has up to 70 excuses, and a message hundreds of candidates.
    for word in term.unless:
        beside = written if RESPECTFUL in word else folded
        if word in beside.left or word in beside.right or beside.is_extended_by(word):
            return False
    for group in term.needs:
        if not any((written if RESPECTFUL in word else folded).holds(word) for word in group):
            return False
    return True


class _Beside(NamedTuple):
    """What stands within reach of a finding, in one way of writing it."""

    left: str
    right: str
    owns: Collection[str]

    def holds(self, word: str) -> bool:
        """Tell whether a word stands there."""
        return word in self.left or word in self.right

    def is_extended_by(self, word: str) -> bool:
        """Tell whether an excuse contains the term and stands exactly where the hit is.

        Or ends with the 你 that the hit begins with: 帮您 before 您找快递.
        """
        for own in self.owns:
            if own in word and _extends(word, own, left=self.left, right=self.right):
                return True
            if own[0] == word[-1] != word and own[0] in _CALLED and self.left.endswith(word[:-1]):
                return True
        return False


_CALLED: Final = frozenset({"你", RESPECTFUL})


def _as_folded(candidate: Candidate, reading: Reading) -> _Beside:
    start, end = candidate.start, candidate.end
    left, right = reading.fold(start - REACH, start), reading.fold(end, end + REACH)
    return _Beside(left, right, {candidate.form.normalised, reading.fold(start, end)})


def _as_written(candidate: Candidate, reading: Reading) -> _Beside:
    start, end, text = candidate.start, candidate.end, reading.text
    return _Beside(text[max(0, start - REACH) : start], text[end : end + REACH], {text[start:end]})


def _extends(word: str, own: str, *, left: str, right: str) -> bool:
    at = word.find(own)
    while at >= 0:
        if left.endswith(word[:at]) and right.startswith(word[at + len(own) :]):
            return True
        at = word.find(own, at + 1)
    return False


def _offered(candidate: Candidate, term: Term, reading: Reading) -> bool:
    """Tell whether an offer is one: who warns of it or asks about others makes none."""
    if term.category not in _OFFERS:
        return True
    start, end = candidate.start, candidate.end
    before = reading.fold(start - REACH, start)
    if is_warning(f"{before}\n{reading.fold(end, end + REACH)}"):
        return False
    return not is_asked_of_others(before, reading.text[end : end + REACH])


def _negated(candidate: Candidate, term: Term, reading: Reading) -> bool:
    if term.category not in _NEGATABLE or Flag.FIRM in term.flags:
        return False
    start = max(0, candidate.start - REACH)
    clause = _last_clause(reading.text[start : candidate.start])
    before = clause.translate(reading.folding.plain)
    if _NEGATION_STARTS.isdisjoint(before):
        return False
    for phrase in POLITE:
        before = before.replace(phrase, "")
    return any(word in before[-NEGATION_REACH:] for word in NEGATIONS)


def _last_clause(text: str) -> str:
    for at in range(len(text) - 1, -1, -1):
        if text[at] in _CLAUSE_SIGNS:
            return text[at + 1 :]
    return text


def _severity(candidate: Candidate, term: Term, reading: Reading) -> Severity:
    before = reading.text[max(0, candidate.start - 4) : candidate.start]
    closing = QUOTES.get(before[-1:])
    quoted = closing is not None and reading.text[candidate.end : candidate.end + 1] == closing
    severity = term.severity
    if severity is Severity.HIGH and is_fuzzy(candidate):
        severity = Severity.MEDIUM
    if term.category is Category.INSULT and _of_himself(candidate, reading):
        return Severity.LOW
    if quoted or before.endswith(REPORTED) or _softened(candidate, term, reading):
        return _LOWER[severity]
    return severity


def _of_himself(candidate: Candidate, reading: Reading) -> bool:
    start, end = candidate.start, candidate.end
    clause = _last_clause(reading.text[max(0, start - REACH) : start])
    return "我" in clause and is_of_himself(reading.folding.fold(clause), reading.fold(start, end))


def _softened(candidate: Candidate, term: Term, reading: Reading) -> bool:
    if term.category not in TONE:
        return False
    folded, written = _as_folded(candidate, reading), _as_written(candidate, reading)
    return is_softened(f"{folded.left}\n{folded.right}", written.left + written.right)


_LOWER = {
    Severity.HIGH: Severity.MEDIUM,
    Severity.MEDIUM: Severity.LOW,
    Severity.LOW: Severity.LOW,
}
