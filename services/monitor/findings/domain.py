"""The words of findings. Pure values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from contracts.monitor import ReceptionVerdict
from contracts.people import ConversationId, PersonId, ShopId

DOUBTED_OF: Final = 20
DOUBTED_SHARE: Final = 0.3
"""Of so many judged flags of a rule so many were not bad: its words need another look."""

TOLD_MS: Final = 26 * 3_600_000
"""What began longer ago is no news, so whoever folds a log anew does not tell all of it again. A
buyer who was given up began to wait a day before."""


class FindingBy(StrEnum):
    """What the rows of a report are about."""

    RULE = "rule"
    AGENT = "agent"
    DAY = "day"


class Place(NamedTuple):
    """The last flag of a page."""

    at_ms: int
    id: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A flag as it is stored."""

    id: str
    generation: int
    offsets: tuple[int, ...]
    rule: str
    shop_id: ShopId
    conversation_id: ConversationId
    agent_id: PersonId
    at_ms: int
    severity: int
    times: int
    seconds: int


class Judgement(NamedTuple):
    """What somebody makes of a flag."""

    flag_id: str
    person_id: PersonId
    name: str
    verdict: ReceptionVerdict
    note: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Flags that count, by severity, and what people made of them."""

    flags: int = 0
    mild: int = 0
    middling: int = 0
    grave: int = 0
    times: int = 0
    judged: int = 0
    not_bad: int = 0

    @property
    def doubted(self) -> bool:
        """Tell whether leaders took so many back that the rule itself is in doubt."""
        return self.judged >= DOUBTED_OF and self.not_bad >= DOUBTED_SHARE * self.judged


SUMS: Final = ("flags", "mild", "middling", "grave", "times", "judged", "not_bad")
"""What is counted, in the order of a file's columns."""
