"""The words of the wording engine: who speaks, what was found, how bad, why, and what to do.

Pure values. It must not know how text is folded or matched, nor who asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NewType

TermId = NewType("TermId", str)


class Speaker(StrEnum):
    """Whose words are judged."""

    AGENT = "agent"
    BUYER = "buyer"


class Action(StrEnum):
    """What the caller does with a message, mildest first; `rank` orders them."""

    ALLOW = "allow"
    LOG = "log"
    WARN = "warn"
    CONFIRM = "confirm"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """Position on the scale: 0 for allow, 4 for block."""
        return _RANKS[self]


class Category(StrEnum):
    """What a phrase does to the person who reads it."""

    INSULT = "insult"
    THREAT = "threat"
    DISCRIMINATION = "discrimination"
    COMMAND = "command"
    QUESTIONING = "questioning"
    COLD = "cold"
    BARGAIN_REFUSAL = "bargain_refusal"
    SHIRKING = "shirking"
    OVER_PROMISE = "over_promise"
    OFF_PLATFORM = "off_platform"
    REVIEW_INDUCEMENT = "review_inducement"
    REASON_STEERING = "reason_steering"
    PII_LEAK = "pii_leak"
    ANGER = "anger"


class Severity(StrEnum):
    """How bad a hit is; quotation lowers it by one step, and a guess is never high."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Why(StrEnum):
    """How the term was recognised: the disguise that was seen through."""

    LITERAL = "literal"
    INVISIBLE = "invisible"
    GAP = "gap"
    REPEAT = "repeat"
    HOMOPHONE = "homophone"
    PINYIN = "pinyin"
    INITIALS = "initials"
    MASK = "mask"
    SPLIT = "split"
    SHAPE = "shape"
    TRADITIONAL = "traditional"
    LOOKALIKE = "lookalike"
    MIXED = "mixed"
    REVERSED = "reversed"
    EMOJI = "emoji"
    DIGITS = "digits"
    STRAY = "stray"
    RULE = "rule"


class Flag(StrEnum):
    """What a term may be disguised as, and where it may stand.

    The first seven ask for disguised forms, each subject to the corpus test of `wording.build`.
    `WHOLE` wants the term to be the whole message, `CLAUSE` a clause of its own, and `FIRM`
    exempts it from negation (a swear word is one after "not", too).
    """

    GAP = "gap"
    HOMOPHONE = "homophone"
    PINYIN = "pinyin"
    INITIALS = "initials"
    MASK = "mask"
    SPLIT = "split"
    SHAPE = "shape"
    WHOLE = "whole"
    CLAUSE = "clause"
    FIRM = "firm"


DISGUISES = frozenset(
    {
        Flag.GAP,
        Flag.HOMOPHONE,
        Flag.PINYIN,
        Flag.INITIALS,
        Flag.MASK,
        Flag.SPLIT,
        Flag.SHAPE,
    }
)


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a lexicon, or one that a shop adds.

    `texts` are spellings of the same term. `needs` is a list of groups: the term counts only if
    every group has one of its words within reach of the hit; `unless` names words of which none
    may be there. `speaker` None means both.
    """

    id: TermId
    texts: tuple[str, ...]
    category: Category
    severity: Severity = Severity.MEDIUM
    speaker: Speaker | None = None
    flags: frozenset[Flag] = frozenset({Flag.GAP})
    needs: tuple[tuple[str, ...], ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding; `start` and `end` count code points of the original text."""

    category: Category
    severity: Severity
    term_id: str
    start: int
    end: int
    surface: str
    normalised: str
    why: Why
    action: Action


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a message (the strictest action of its hits) and the evidence."""

    action: Action
    hits: tuple[Hit, ...]
    lexicon_version: str


def _house_actions() -> Mapping[Category, Action]:
    return HOUSE_ACTIONS


@dataclass(frozen=True, slots=True)
class Policy:
    """What one shop wants; every field has the house default.

    `actions` overrides the house action of single categories at high severity; insults, threats
    and discrimination step down with severity. `version` names this content, `owner` whose it is:
    the engine keeps one small automaton per owner, of the newest content.
    """

    actions: Mapping[Category, Action] = field(default_factory=_house_actions)
    extra_terms: tuple[Term, ...] = ()
    allow_spans: tuple[str, ...] = ()
    version: str = "house"
    owner: str = "house"

    def action_for(self, category: Category, severity: Severity, speaker: Speaker) -> Action:
        """Answer the action for one hit. A buyer is never stopped: every hit is logged."""
        if speaker is Speaker.BUYER:
            return Action.LOG
        action = self.actions.get(category) or HOUSE_ACTIONS[category]
        if category not in ABUSE or severity is Severity.HIGH:
            return action
        ceiling = Action.CONFIRM if severity is Severity.MEDIUM else Action.WARN
        return min(action, ceiling, key=lambda one: one.rank)


_RANKS: Mapping[Action, int] = MappingProxyType({one: rank for rank, one in enumerate(Action)})

ABUSE: Final = frozenset({Category.INSULT, Category.THREAT, Category.DISCRIMINATION})
"""What no shop lets pass unseen; its action steps down with severity."""

HOUSE_ACTIONS: Mapping[Category, Action] = MappingProxyType(
    {
        Category.INSULT: Action.BLOCK,
        Category.THREAT: Action.BLOCK,
        Category.DISCRIMINATION: Action.BLOCK,
        Category.COMMAND: Action.WARN,
        Category.QUESTIONING: Action.WARN,
        Category.COLD: Action.WARN,
        Category.BARGAIN_REFUSAL: Action.WARN,
        Category.SHIRKING: Action.WARN,
        Category.OVER_PROMISE: Action.WARN,
        Category.OFF_PLATFORM: Action.CONFIRM,
        Category.REVIEW_INDUCEMENT: Action.CONFIRM,
        Category.REASON_STEERING: Action.WARN,
        Category.PII_LEAK: Action.CONFIRM,
        Category.ANGER: Action.LOG,
    }
)
