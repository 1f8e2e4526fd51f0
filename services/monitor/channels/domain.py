"""The words of channels and of what is sent over them. Pure values.

A notice has no place for a buyer's name or for what was said: what is not here is never sent.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self

from contracts.people import ShopId

CHANNELS_MOST: Final = 20
"""Channels of a shop."""

PENDING_MOST: Final = 10_000
"""Deliveries of a shop that may be waiting; what comes on top goes into the next digest at once."""

AGAIN_MS: Final = (5_000, 30_000, 120_000, 600_000, 3_600_000)
"""Pauses before a delivery is tried again; after the last one it has failed."""

STALE_MS: Final = 3 * 3_600_000
"""What could not be sent for so long is no news: it is merged into a digest, if there is one."""


class Kind(StrEnum):
    """What listens at the other end."""

    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    WECOM = "wecom"
    WEBHOOK = "webhook"


class Level(StrEnum):
    """How much it matters."""

    INFO = "info"
    WARN = "warn"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0, 1, 2."""
        return _RANKS[self]


_RANKS: Final = {Level.INFO: 0, Level.WARN: 1, Level.CRITICAL: 2}


class Language(StrEnum):
    """What a channel is written in."""

    ZH = "zh"
    EN = "en"


class ChannelState(StrEnum):
    """Whether a channel is sent to. `broken`: the other side said that it never will take more."""

    ON = "on"
    OFF = "off"
    BROKEN = "broken"


class DeliveryState(StrEnum):
    """What became of a delivery. `merged`: it is one of those that a digest tells of."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    MERGED = "merged"


class Step(StrEnum):
    """What happened to the alert that is told of."""

    OPENED = "opened"
    RAISED = "raised"
    REPEATED = "repeated"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    TEST = "test"
    DIGEST = "digest"


class Secrets(NamedTuple):
    """What is sealed of a channel: the address of a robot is as good as a password."""

    url: str
    secret: str | None


@dataclass(frozen=True, slots=True)
class Mentions:
    """Who is called by name when it is critical."""

    people: tuple[str, ...] = ()
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is sent to."""

    id: str
    shop_id: ShopId
    kind: Kind
    language: Language
    mentions: Mentions
    names: bool
    state: ChannelState
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told of an alert. `title` is the rule's, by language; `path` opens it in the console.

    `agent` is said only where the channel says names.
    """

    rule: str
    title: Mapping[str, str]
    level: Level
    step: Step
    at_ms: int
    count: int = 1
    alert_id: str | None = None
    opened_ms: int | None = None
    value: int | None = None
    unit: str | None = None
    group: str | None = None
    agent: str | None = None
    path: str = "/board"

    def stored(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `stored` wrote; what a newer release added is left out."""
        known = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        known |= {"level": Level(known["level"]), "step": Step(known["step"])}
        return cls(**known)


class Tally(NamedTuple):
    """How many of a digest are of one rule and level."""

    rule: str
    title: Mapping[str, str]
    level: Level
    number: int


@dataclass(frozen=True, slots=True)
class Digest:
    """What did not fit, in one message: how many of each rule, critical ones first, the worst."""

    at_ms: int
    tallies: tuple[Tally, ...]
    worst: tuple[Notice, ...]

    @property
    def count(self) -> int:
        """All that it stands for."""
        return sum(tally.number for tally in self.tallies)

    @property
    def level(self) -> Level:
        """The highest of all."""
        return max((tally.level for tally in self.tallies), key=lambda level: level.rank)

    def stored(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return {
            "at_ms": self.at_ms,
            "tallies": [tally._asdict() for tally in self.tallies],
            "worst": [notice.stored() for notice in self.worst],
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `stored` wrote."""
        return cls(
            stored["at_ms"],
            tuple(Tally(**{**one, "level": Level(one["level"])}) for one in stored["tallies"]),
            tuple(map(Notice.of, stored["worst"])),
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel. `attempt` counts from 1; `unknown`: an earlier one may have come.

    `content` is what `Notice` or `Digest` stored.
    """

    id: str
    shop_id: ShopId
    channel_id: str
    step: Step
    level: Level
    content: Mapping[str, Any]
    attempt: int
    unknown: bool
    created_ms: int

    @property
    def told(self) -> Notice | Digest:
        """Return what it says."""
        return Digest.of(self.content) if self.step is Step.DIGEST else Notice.of(self.content)


class Request(NamedTuple):
    """What is posted."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Sent(NamedTuple):
    """It was taken."""

    code: str = ""


class Again(NamedTuple):
    """It was not taken, or nobody knows. `rest_ms`: the channel takes nothing for so long."""

    code: str
    rest_ms: int | None = None
    unknown: bool = False


class Broken(NamedTuple):
    """The other side takes nothing more until somebody mends it."""

    code: str


Outcome = Sent | Again | Broken
