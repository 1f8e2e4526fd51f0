"""The rules of reception, laid out for the fold: numbers in ms, phrases ready to be looked for.

Pure. Must not know where a conversation stands.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reception import RuleFile, RuleName, fingerprint, load

SHORT: Final = 12
"""Characters up to which words may be nothing but a phrase."""

_ASIDE: Final = re.compile(r"[\W_]+")


def bare(text: str) -> str:
    """Return short words without marks, blanks and signs; empty for what is longer."""
    return "" if len(text) > SHORT else _ASIDE.sub("", text).lower()


def has(text: str, phrases: re.Pattern[str]) -> bool:
    """Tell whether one of the phrases is said: one pattern asks for all of them at once."""
    return phrases.search(text) is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its weight, its numbers by name, and its phrases."""

    severity: int
    numbers: Mapping[str, int]
    phrases: Mapping[str, tuple[str, ...]]

    def ms(self, name: str) -> int:
        """Return a number of seconds in ms."""
        return self.numbers[name] * 1000


@dataclass(frozen=True, slots=True)
class Silence:
    """A buyer whom the owner let wait."""

    severity: int
    over_ms: int
    worse_ms: int
    closers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A buyer who was asked to hold on."""

    severity: int
    over_ms: int
    holds: re.Pattern[str]
    closers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Curt:
    """An answer that is nothing but a phrase."""

    severity: int
    words: int
    within_ms: int
    in_a_row: int
    a_session: int
    whole: frozenset[str]
    yes_no: frozenset[str]
    particles: re.Pattern[str]
    questions: re.Pattern[str]

    def said(self, text: str) -> str:
        """Return the phrase that an answer is, empty if it is more than one."""
        found = bare(text)
        if not found or found in self.whole:
            return found
        found = self.particles.sub("", found)
        return found if found in self.whole else ""


@dataclass(frozen=True, slots=True)
class Marks:
    """Question marks that shout."""

    severity: int
    sharp: re.Pattern[str]
    """What shouts whatever else is said: marks alone, a rhetorical question."""
    pressing: re.Pattern[str]
    """What shouts unless it is a polite question."""
    polite: re.Pattern[str]

    def shout(self, text: str) -> bool:
        """Tell whether a message shouts."""
        own = _QUOTED.sub("", text)
        if self.sharp.search(own) is not None:
            return True
        return self.pressing.search(own) is not None and not has(text, self.polite)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the first words lack."""

    severity: int
    messages: int
    within_ms: int
    known_ms: int
    after_transfer: bool
    auto_greets: bool
    greetings: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Farewell:
    """What the last words lack."""

    severity: int
    messages: int
    within_ms: int
    rounds: int
    farewells: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class PingPong:
    """A conversation that is handed to and fro."""

    severity: int
    changes: int
    within_ms: int
    back_ms: int


@dataclass(frozen=True, slots=True)
class NoApology:
    """What the words behind a long wait lack."""

    severity: int
    over_ms: int
    messages: int
    apologies: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Book:
    """The rules of a shop; None: it is off. `version` names them, other ones have another."""

    version: str
    silence: Silence | None
    forgotten: Forgotten | None
    curt: Curt | None
    marks: Marks | None
    greeting: Greeting | None
    farewell: Farewell | None
    ping_pong: PingPong | None
    no_apology: NoApology | None


def book_of(files: Sequence[RuleFile]) -> Book:
    """Lay rule files out."""
    rules = {
        file.rule: Rule(
            file.severity,
            {name: number.value for name, number in file.numbers.items()},
            file.phrases,
        )
        for file in files
        if file.on
    }
    return Book(
        fingerprint(files),
        _silence(rules.get(RuleName.SILENCE)),
        _forgotten(rules.get(RuleName.FORGOTTEN)),
        _curt(rules.get(RuleName.CURT)),
        _marks(rules.get(RuleName.MARKS)),
        _greeting(rules.get(RuleName.GREETING)),
        _farewell(rules.get(RuleName.FAREWELL)),
        _ping_pong(rules.get(RuleName.PING_PONG)),
        _no_apology(rules.get(RuleName.NO_APOLOGY)),
    )


def _silence(rule: Rule | None) -> Silence | None:
    if rule is None:
        return None
    return Silence(
        rule.severity, rule.ms("over_s"), rule.ms("worse_s"), _bare(rule.phrases["closers"])
    )


def _forgotten(rule: Rule | None) -> Forgotten | None:
    if rule is None:
        return None
    holds, closers = rule.phrases["holds"], rule.phrases["closers"]
    return Forgotten(rule.severity, rule.ms("over_s"), _pattern(holds), _bare(closers))


def _curt(rule: Rule | None) -> Curt | None:
    if rule is None:
        return None
    return Curt(
        rule.severity,
        rule.numbers["words"],
        rule.ms("within_s"),
        rule.numbers["in_a_row"],
        rule.numbers["a_session"],
        _bare(rule.phrases["whole"]),
        _bare(rule.phrases["yes_no"]),
        _pattern(rule.phrases["particles"]),
        _pattern(rule.phrases["questions"]),
    )


def _marks(rule: Rule | None) -> Marks | None:
    if rule is None:
        return None
    least, reach = rule.numbers["at_least"], rule.numbers["reach"]
    clause = rf"[^?？!！。；;\n]{{0,{reach}}}"
    # Marks behind digits or a link belong to them.
    marks = rf"(?<![0-9a-zA-Z/=&_%.-])[?？]{{{least},}}"
    alone = rf"\A\s*[?？](?:\s*[?？]){{{least - 1},}}\s*\Z"
    persons, rhetorical = _any(rule.phrases["persons"]), _any(rule.phrases["rhetorical"])
    both = r"(?:[?？]+[!！]|[!！]+[?？])"
    return Marks(
        rule.severity,
        re.compile(rf"{alone}|(?:{rhetorical}){clause}{both}"),
        re.compile(rf"(?:{persons}){clause}{marks}"),
        _pattern(rule.phrases["polite"]),
    )


def _greeting(rule: Rule | None) -> Greeting | None:
    if rule is None:
        return None
    return Greeting(
        rule.severity,
        rule.numbers["messages"],
        rule.ms("within_s"),
        rule.ms("known_s"),
        bool(rule.numbers["after_transfer"]),
        bool(rule.numbers["auto_greets"]),
        _pattern(rule.phrases["greetings"]),
    )


def _farewell(rule: Rule | None) -> Farewell | None:
    if rule is None:
        return None
    return Farewell(
        rule.severity,
        rule.numbers["messages"],
        rule.ms("within_s"),
        rule.numbers["rounds"],
        _pattern(rule.phrases["farewells"]),
    )


def _ping_pong(rule: Rule | None) -> PingPong | None:
    if rule is None:
        return None
    return PingPong(rule.severity, rule.numbers["changes"], rule.ms("within_s"), rule.ms("back_s"))


def _no_apology(rule: Rule | None) -> NoApology | None:
    if rule is None:
        return None
    apologies = _pattern(rule.phrases["apologies"])
    return NoApology(rule.severity, rule.ms("over_s"), rule.numbers["messages"], apologies)


def _bare(phrases: Iterable[str]) -> frozenset[str]:
    return frozenset(map(bare, phrases)) - {""}


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile(_any(phrases))


def _any(phrases: Iterable[str]) -> str:
    """Return a pattern of the phrases, the longest first."""
    return "|".join(re.escape(phrase.lower()) for phrase in sorted(phrases, key=len, reverse=True))


_QUOTED: Final = re.compile(r"“[^”]*”|‘[^’]*’|「[^」]*」|『[^』]*』|《[^》]*》|\"[^\"]*\"")

SHIPPED: Final = book_of(load())
"""The rules that are shipped, read once."""
