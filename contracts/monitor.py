"""Events the monitor produces: alerts, flags and the supervisor board.

Durations are whole milliseconds. Figures carry sums and counts, so that readers can add them.
"""

from enum import StrEnum
from typing import ClassVar, Final, Literal
from zlib import crc32

from pydantic import Field
from typing_extensions import override

from contracts.base import Event, Moment, Part
from contracts.gateway import WordingHit
from contracts.people import (
    AgentState,
    ConversationId,
    MessageId,
    PersonId,
    ShopId,
    SkillGroupId,
)
from contracts.topics import ALERTS, BOARD, Topic


class Alert(Event):
    """What every alert shares."""

    topic: ClassVar[Topic] = ALERTS
    source: ClassVar[str] = "monitor"

    @property
    @override
    def key(self) -> str:
        """One shop, one order."""
        return self.shop_id


class WaitingThresholdPassed(Alert):
    """A buyer has waited longer than a threshold; fires once per wait and threshold.

    `profiles` are those of the shop that have this threshold and still count the buyer as waiting,
    the strictest first; `profile` is that one. Events of older releases name it alone, and there
    was one for each profile.
    """

    type: ClassVar[str] = "monitor.waiting_threshold.v1"

    conversation_id: ConversationId
    agent_id: PersonId | None
    profile: str
    threshold_s: int
    opened_at: Moment
    late_ms: int
    profiles: tuple[str, ...] = ()


class WordingFlagged(Alert):
    """A message that was delivered breaks a wording rule."""

    type: ClassVar[str] = "monitor.wording_flagged.v1"

    conversation_id: ConversationId
    message_id: MessageId
    sender_id: PersonId
    speaker: Literal["agent", "buyer"]
    hits: tuple[WordingHit, ...]
    lexicon_version: str


class IncidentStored(Alert):
    """The monitor holds the evidence of a message that the gate kept from the buyer."""

    type: ClassVar[str] = "monitor.incident_stored.v1"

    incident_id: str
    conversation_id: ConversationId
    agent_id: PersonId
    action: Literal["block", "confirm"]
    categories: tuple[str, ...]


class AlertKind(StrEnum):
    """What leaders are told of."""

    WAITING = "waiting"
    FLAG = "flag"
    INCIDENT = "incident"


class Verdict(StrEnum):
    """What somebody makes of an alert."""

    HANDLED = "handled"
    NOT_ABUSIVE = "not_abusive"


NOTE_CHARS: Final = 500
"""Characters (code points) of what somebody writes beside a verdict."""


class Opinion(Alert):
    """What every verdict shares: who gave it, and his words."""

    kind: AlertKind
    conversation_id: ConversationId
    person_id: PersonId
    name: str
    verdict: Verdict
    note: str = Field(default="", max_length=NOTE_CHARS)


class WordingJudged(Opinion):
    """Somebody says what he makes of a flagged message or of one held; his latest verdict stands.

    `subject_id` is the message's id of a flag, and the incident's own.
    """

    type: ClassVar[str] = "wording.judged.v1"

    subject_id: str


class AlertAcknowledged(Opinion):
    """A leader took care of an alert, as the first; told once.

    `alert_id` is the id of the flagged message, of the incident, or of the event that told of a
    threshold.
    """

    type: ClassVar[str] = "monitor.alert_acknowledged.v1"

    alert_id: str


class StandingAlert(Alert):
    """An alert that stands for however many times something happened, as a rule sees it.

    `level` is `info`, `warn` or `critical`; `count` how often it happened since it opened. It
    carries no buyer and nothing that was said.
    """

    alert_id: str
    rule: str
    rule_version: int
    level: str
    count: int
    value: int | None = None
    conversation_id: ConversationId | None = None
    agent_id: PersonId | None = None


class AlertOpened(StandingAlert):
    """Something that a rule looks for has happened, and no alert of it stood."""

    type: ClassVar[str] = "monitor.alert_opened.v1"


class AlertChanged(StandingAlert):
    """An alert got worse, goes on, escalated because nobody cared, or somebody took care of it."""

    type: ClassVar[str] = "monitor.alert_changed.v1"

    change: Literal["raised", "repeated", "escalated", "acknowledged"]


class AlertResolved(StandingAlert):
    """It has not happened for as long as the rule says; should it again, another alert opens."""

    type: ClassVar[str] = "monitor.alert_resolved.v1"


class ReceptionFlagged(Alert):
    """How an agent received a buyer breaks a rule; told once, and again when it grew worse.

    `position` is where the conversation's log tells of it first, `[generation, offset]`.
    """

    type: ClassVar[str] = "monitor.reception_flagged.v1"

    flag_id: str
    rule: str
    severity: int
    conversation_id: ConversationId
    agent_id: PersonId
    position: tuple[int, int]


class ReceptionVerdict(StrEnum):
    """What somebody makes of a flag of reception."""

    HANDLED = "handled"
    NOT_BAD = "not_bad"


class ReceptionJudged(Alert):
    """Somebody says what he makes of a flag of reception; his latest verdict stands."""

    type: ClassVar[str] = "monitor.reception_judged.v1"

    flag_id: str
    rule: str
    conversation_id: ConversationId
    agent_id: PersonId
    person_id: PersonId
    name: str
    verdict: ReceptionVerdict
    note: str = Field(default="", max_length=NOTE_CHARS)


class ResponseFigures(Part):
    """Response times under one profile: sums in milliseconds beside their counts.

    `first_within` counts sessions whose first response took at most `first_within_s`, which the
    profile says. `first_within_30s` is the same number under the name that it had while every
    profile said 30.
    """

    profile: str
    rounds: int
    round_ms: int
    unanswered: int
    first_responses: int
    first_response_ms: int
    first_within_30s: int
    sessions: int
    first_within: int = 0
    first_within_s: int = 30


class AgentTile(Part):
    """One agent on the board."""

    agent_id: PersonId
    name: str
    state: AgentState
    open_conversations: int
    longest_wait_ms: int
    breaching: int
    figures: tuple[ResponseFigures, ...]


class WaitingBuyer(Part):
    """A buyer who waits for an answer, longest first on the board."""

    conversation_id: ConversationId
    agent_id: PersonId | None
    waiting_since: Moment


class BoardPublished(Event):
    """The supervisor board of one shop. `as_of` is the newest folded event's time.

    Of a large shop those agents are pushed who need to be looked at first, as many as fit into one
    message, and `agents_left_out` counts the others; `GET /v1/monitor/board` has all of them.
    """

    topic: ClassVar[Topic] = BOARD
    type: ClassVar[str] = "board.published.v1"
    source: ClassVar[str] = "monitor"

    as_of: Moment
    delayed_ms: int
    messages: int
    open_conversations: int
    waiting: int
    longest_wait_ms: int
    flags_agent: int
    flags_buyer: int
    held: int
    figures: tuple[ResponseFigures, ...]
    agents: tuple[AgentTile, ...]
    waiting_longest: tuple[WaitingBuyer, ...]
    agents_left_out: int = 0

    @property
    @override
    def key(self) -> str:
        """Latest board of a shop wins."""
        return self.shop_id


Sums = tuple[int, int, int, int, int, int, int, int]
"""Response times under one profile, as `ResponseFigures` has them: rounds, round_ms, unanswered,
first_responses, first_response_ms, sessions, first_within, first_within_s. Names take five times
the room, and a shop of 500 agents under eight profiles has 4,000 of these."""

TOTALS_BYTES: Final = 16 * 1024
"""Of a shop's totals at most; a frame has four times as many."""

TILE_BYTES: Final = 4 * 1024
"""Of one agent's tile at most, with 16 profiles and the longest name."""


class BoardTotals(Event):
    """A shop's board without its agents, whose tiles are `board.agent.v1`.

    `states` counts tiles by state, and `capacity` is how many buyers those may have at once who
    are not offline. Of who waits, `levels` counts notice, warn and breach of the profile that
    screens go by, each with those beyond it; None: it has no levels. Whose wait it is, is told by
    instants, so that time alone changes nothing else.
    """

    topic: ClassVar[Topic] = BOARD
    type: ClassVar[str] = "board.published.v2"
    source: ClassVar[str] = "monitor"

    as_of: Moment
    delayed_ms: int
    messages: int
    open_conversations: int
    waiting: int
    waiting_since: Moment | None
    queued: int
    breaching: int
    flags_agent: int
    flags_buyer: int
    held: int
    states: dict[AgentState, int]
    figures: dict[str, Sums]
    waiting_longest: tuple[WaitingBuyer, ...]
    capacity: int | None = None
    levels: tuple[int, int, int] | None = None

    @property
    @override
    def key(self) -> str:
        """Totals and tiles of a shop in one order."""
        return self.shop_id


class BoardAgent(Event):
    """One agent on the board, told when something of him changed; the latest stands.

    `waiting` buyers wait for him, the longest of them `waiting_since`, and `breaching` of them
    beyond the limit. `flags` of his messages broke a wording rule today, and `held` were kept from
    the buyer. `capacity` and `groups` are None where the directory does not tell them. Who is
    `removed` has no tile any more.
    """

    topic: ClassVar[Topic] = BOARD
    type: ClassVar[str] = "board.agent.v1"
    source: ClassVar[str] = "monitor"

    agent_id: PersonId
    name: str
    state: AgentState
    since: Moment | None
    open_conversations: int
    waiting: int
    waiting_since: Moment | None
    breaching: int
    figures: dict[str, Sums]
    removed: bool = False
    capacity: int | None = None
    groups: tuple[SkillGroupId, ...] | None = None
    flags: int = 0
    held: int = 0

    @property
    @override
    def key(self) -> str:
        """Totals and tiles of a shop in one order."""
        return self.shop_id


BOARD_SHARES: Final = 16
"""In so many parts monitors share all shops' boards out among themselves."""


def board_share(shop_id: ShopId, of: int = BOARD_SHARES) -> int:
    """Return the part that a shop's board belongs to."""
    return crc32(shop_id.encode()) % of


class BoardsCurrent(Event):
    """Boards of these shares show what was folded through a moment; told every two seconds.

    A quiet shop's board is not published anew, so this alone says that somebody still looks after
    it. `shop_id` is the platform's. A share whose boards are not all published yet by the monitor
    that has taken it is not named.
    """

    topic: ClassVar[Topic] = BOARD
    type: ClassVar[str] = "board.current.v1"
    source: ClassVar[str] = "monitor"

    shares: tuple[int, ...]
    of: int
    through: Moment

    @property
    @override
    def key(self) -> str:
        """One order for all."""
        return self.shop_id
