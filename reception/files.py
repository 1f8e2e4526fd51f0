"""Reads a folder of reception rules: a TOML file for each rule.

Touches a disk once, and says of the first wrong file which place to correct. No number and no
phrase stands here: all are in the files.
"""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kit import rule_files
from kit.rule_files import FileRefused

RuleRefused: TypeAlias = FileRefused
"""A rule file cannot be used."""

SHIPPED: Final = Path(__file__).parent / "shipped"

PHRASES_LIMIT: Final = 200
"""Of one list; each costs a look into every message of an agent."""


class RuleName(StrEnum):
    """The rules there are."""

    SILENCE = "silence"
    FORGOTTEN = "forgotten"
    CURT = "curt"
    MARKS = "marks"
    GREETING = "greeting"
    FAREWELL = "farewell"
    PING_PONG = "ping_pong"
    NO_APOLOGY = "no_apology"


class Kind(StrEnum):
    """What a rule looks at."""

    ROUND_OVER = "round_over"
    """A buyer whom the owner let wait."""
    HOLD_OVER = "hold_over"
    """A buyer who was asked to hold on, and heard nothing more."""
    PHRASE_WHOLE = "phrase_whole"
    """An answer that is nothing but a phrase."""
    MARKS = "marks"
    """Question marks that shout."""
    ABSENT_AT_START = "absent_at_start"
    """A phrase that the first words lack."""
    ABSENT_AT_END = "absent_at_end"
    """A phrase that the last words lack."""
    OWNER_CHANGES = "owner_changes"
    """A conversation that is handed to and fro."""
    ABSENT_AFTER = "absent_after"
    """A phrase that the words behind a long wait lack."""


class Needs(NamedTuple):
    """Which numbers and which phrases the file of a kind has."""

    numbers: frozenset[str] = frozenset()
    phrases: frozenset[str] = frozenset()


def _needs(numbers: str, phrases: str = "") -> Needs:
    return Needs(frozenset(numbers.split()), frozenset(phrases.split()))


KINDS: Final[Mapping[Kind, Needs]] = {
    Kind.ROUND_OVER: _needs("over_s worse_s", "closers"),
    Kind.HOLD_OVER: _needs("over_s", "holds closers"),
    Kind.PHRASE_WHOLE: _needs(
        "words within_s in_a_row a_session", "whole particles yes_no questions"
    ),
    Kind.MARKS: _needs("at_least reach", "persons rhetorical polite"),
    Kind.ABSENT_AT_START: _needs(
        "messages within_s known_s after_transfer auto_greets", "greetings"
    ),
    Kind.ABSENT_AT_END: _needs("messages within_s rounds", "farewells"),
    Kind.OWNER_CHANGES: _needs("changes within_s back_s"),
    Kind.ABSENT_AFTER: _needs("over_s messages", "apologies"),
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Strict):
    """What people call it, or how it is explained to them."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=300)


class Number(_Strict):
    """A number of a rule, and within which limits a shop may set it otherwise."""

    value: int
    min: int
    max: int

    @model_validator(mode="after")
    def _lies_between(self) -> Self:
        if not 0 <= self.min <= self.value <= self.max:
            raise ValueError("min, value and max must ascend from 0")
        return self


class RuleFile(_Strict):
    """What a rule file says, as it says it."""

    rule: RuleName
    kind: Kind
    on: bool
    severity: int = Field(ge=1, le=3)
    title: Label
    about: Label
    numbers: dict[str, Number] = Field(default_factory=dict)
    phrases: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needs = KINDS[self.kind]
        for name, found, wanted in (
            ("numbers", frozenset(self.numbers), needs.numbers),
            ("phrases", frozenset(self.phrases), needs.phrases),
        ):
            if found != wanted:
                raise ValueError(f"{name} of {self.kind} are {', '.join(sorted(wanted)) or 'none'}")
        for name, phrases in self.phrases.items():
            if not 0 < len(phrases) <= PHRASES_LIMIT or not all(map(str.strip, phrases)):
                raise ValueError(f"phrases.{name} needs 1 to {PHRASES_LIMIT}, none of them blank")
        return self


def load(folder: Path | None = None) -> tuple[RuleFile, ...]:
    """Read every `*.toml` of a folder (None: the shipped ones). Raises `RuleRefused`."""
    place = folder or SHIPPED
    found = [parse(rule_files.text_of(file), file.name) for file in sorted(place.glob("*.toml"))]
    names = [file.rule for file in found]
    if sorted(names) != sorted(RuleName):
        raise RuleRefused(f"{place} needs one file for each of {', '.join(RuleName)}")
    return tuple(found)


def fingerprint(files: Sequence[RuleFile]) -> str:
    """Return what names these rules: other ones have another."""
    whole = "\n".join(file.model_dump_json() for file in sorted(files, key=lambda one: one.rule))
    return hashlib.sha256(whole.encode()).hexdigest()[:12]


def parse(text: str, source: str) -> RuleFile:
    """Read one rule. Raises `RuleRefused` naming `source`."""
    return rule_files.parse(RuleFile, text, source)
