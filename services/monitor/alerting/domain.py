"""Rules as data, and the life of an alert. Pure.

An alert is one per rule, its version and what it is about, however often that happens: repeats are
counted, and told again when they got worse or went on for long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.channels.domain import Level, Step

OLD_MS: Final = 15 * 60_000
"""What happened longer ago opens nothing: a monitor that was away tells of no past."""

FLAPS: Final = 3
FLAPPING_MS: Final = 600_000
"""So many openings in so long: it stays open, and says that it comes and goes."""

MUTE_MOST_S: Final = 24 * 3600
HELD_MUTE_MOST_S: Final = 3600
"""A message that was held back is nothing to be deaf to for a day."""


class Over(StrEnum):
    """What a rule looks at."""

    WAITS = "waits"
    FLAGS = "flags"
    INCIDENTS = "incidents"
    CHANNELS = "channels"


class Scope(StrEnum):
    """What an alert of the rule is about."""

    SHOP = "shop"
    CONVERSATION = "conversation"
    AGENT = "agent"
    CHANNEL = "channel"


class AlertState(StrEnum):
    """What became of it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Higher(NamedTuple):
    """From a value on it matters more."""

    value: int
    level: Level


class Escalation(NamedTuple):
    """Whom to tell if nobody took care of it for so long; nobody named: all who take critical."""

    after_s: int
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is worth telling. `version` is that of the shop's rules in which it stands."""

    name: str
    title: Mapping[str, str]
    over: Over
    scope: Scope
    level: Level
    value: int | None = None
    where: Mapping[str, Any] | None = None
    above: tuple[Higher, ...] = ()
    repeat_s: int = 3600
    resolve_s: int = 60
    escalate: tuple[Escalation, ...] = ()
    channels: tuple[str, ...] = ()
    version: int = 0

    def level_of(self, happened: "Happened") -> Level | None:
        """Return how much it matters to this rule; None: not at all."""
        if happened.over is not self.over:
            return None
        if self.value is not None and (happened.value or 0) < self.value:
            return None
        for name, wanted in (self.where or {}).items():
            found = happened.marks.get(name, ())
            asked = {wanted} if isinstance(wanted, str) else set(wanted)
            if not asked.intersection(found):
                return None
        higher = [one.level for one in self.above if (happened.value or 0) >= one.value]
        return max((self.level, *higher), key=lambda level: level.rank)

    def object_of(self, happened: "Happened") -> str:
        """Return what the alert is about."""
        match self.scope:
            case Scope.CONVERSATION:
                return happened.conversation_id or happened.shop_id
            case Scope.AGENT:
                return happened.agent_id or happened.shop_id
            case Scope.CHANNEL:
                return happened.channel_id or happened.shop_id
            case Scope.SHOP:
                return happened.shop_id


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that rules look at: a wait past a threshold, a flag, a message held back.

    It carries no word of anybody. `marks` are what a rule's `where` may ask for.
    """

    id: str
    shop_id: ShopId
    over: Over
    at_ms: int
    conversation_id: ConversationId | None = None
    agent_id: PersonId | None = None
    channel_id: str | None = None
    value: int | None = None
    marks: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Key(NamedTuple):
    """Of one key one alert stands at a time."""

    rule: str
    version: int
    object_id: str


@dataclass(frozen=True, slots=True)
class Hits:
    """What a batch brings to one key."""

    rule: Rule
    level: Level
    count: int
    first_ms: int
    latest: Happened

    def and_one(self, happened: Happened, level: Level) -> "Hits":
        """Return these and one more."""
        worse = max(self.level, level, key=lambda one: one.rank)
        latest = happened if happened.at_ms >= self.latest.at_ms else self.latest
        first_ms = min(self.first_ms, happened.at_ms)
        return Hits(self.rule, worse, self.count + 1, first_ms, latest)


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert that stands."""

    id: str
    key: Key
    level: Level
    state: AlertState
    count: int
    stage: int
    opened_ms: int
    told_ms: int


class Counted(NamedTuple):
    """An alert with what a batch brought to it."""

    id: str
    level: Level
    times: int
    opened_ms: int


def counted(standing: Standing | None, hits: Hits, *, new_id: str) -> Counted:
    """Return an alert with what a batch brings; `new_id` is its id if it opens."""
    if standing is None:
        return Counted(new_id, hits.level, hits.count, hits.first_ms)
    worse = max(standing.level, hits.level, key=lambda level: level.rank)
    return Counted(standing.id, worse, standing.count + hits.count, standing.opened_ms)


def gathered(rules: Sequence[Rule], happened: Sequence[Happened]) -> dict[Key, Hits]:
    """Return what a batch brings, by key."""
    found: dict[Key, Hits] = {}
    for one in happened:
        for rule in rules:
            level = rule.level_of(one)
            if level is None:
                continue
            key = Key(rule.name, rule.version, rule.object_of(one))
            known = found.get(key)
            found[key] = (
                Hits(rule, level, 1, one.at_ms, one) if known is None else known.and_one(one, level)
            )
    return found


def step_of(standing: Standing | None, hits: Hits, *, now_ms: int) -> Step | None:
    """Return what is told of it: that it opened, got worse, or goes on for long; None: nothing."""
    if standing is None:
        return Step.OPENED
    if hits.level.rank > standing.level.rank:
        return Step.RAISED
    if now_ms - standing.told_ms >= hits.rule.repeat_s * 1000:
        return Step.REPEATED
    return None


def quiet_ms(rule: Rule, last_ms: int) -> int:
    """Return when an alert is looked at that did not come again since."""
    return last_ms + rule.resolve_s * 1000
