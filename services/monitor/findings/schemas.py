"""Findings over REST, and what is asked of them."""

from pydantic import Field

from contracts.base import Moment
from contracts.monitor import ReceptionVerdict
from contracts.people import ConversationId, PersonId, ShopId
from kit.web.app import Body
from kit.web.paging import CURSOR_LIMIT, PAGE_DEFAULT, PAGE_LIMIT
from reception import RuleName
from services.monitor.access.schemas import Answer
from services.monitor.alerts.schemas import Note
from services.monitor.findings.domain import FindingBy
from services.monitor.reports.schemas import DaysQuery


class FindingsQuery(DaysQuery):
    """Which flags of a shop's days."""

    rule: RuleName | None = None
    agent: str | None = Field(default=None, min_length=1, max_length=64)
    limit: int = Field(default=PAGE_DEFAULT, ge=1, le=PAGE_LIMIT)
    cursor: str | None = Field(default=None, max_length=CURSOR_LIMIT)


class FindingOpinion(Body):
    """What the caller makes of a flag."""

    verdict: ReceptionVerdict
    note: Note = ""


class FindingFeedback(Answer):
    """Somebody's verdict on a flag."""

    person_id: PersonId
    name: str
    verdict: ReceptionVerdict
    note: str
    at: Moment


class FindingView(Answer):
    """A flag: one for each rule, session and agent.

    `positions` name up to five of the messages or events in the conversation's log, the first of
    which is where it begins. `seconds` buyers waited, where that is the matter. `counts` is false
    once a leader called it not bad.
    """

    id: str
    rule: RuleName
    conversation_id: ConversationId
    agent_id: PersonId
    at: Moment
    severity: int = Field(ge=1, le=3)
    times: int
    seconds: int
    positions: list[tuple[int, int]]
    counts: bool
    feedback: list[FindingFeedback]


class FindingsReportQuery(DaysQuery):
    """What was found on a shop's days, by rule, agent or day."""

    by: FindingBy = FindingBy.RULE


class FindingSums(Answer):
    """Flags that count, by severity from `mild` to `grave`, and how often the rules were broken.

    `judged` were looked at by a leader; `not_bad` of them count no more.
    """

    flags: int
    mild: int
    middling: int
    grave: int
    times: int
    judged: int
    not_bad: int


class FindingRow(FindingSums):
    """Sums of one rule, agent or day; the other two are null.

    `doubted`: of twenty judged flags of the rule, or more, leaders took three in ten back.
    """

    rule: RuleName | None = None
    agent_id: PersonId | None = None
    start: Moment | None = None
    doubted: bool = False


class FindingsReport(Answer):
    """What was found of how agents receive buyers."""

    shop_id: ShopId
    time_zone: str
    start: Moment
    end: Moment
    by: FindingBy
    whole: FindingSums
    rows: list[FindingRow]


class Label(Answer):
    """In both languages."""

    zh: str
    en: str


class NumberView(Answer):
    """A number of a rule, and within which limits it may be set."""

    value: int
    min: int
    max: int


class RuleView(Answer):
    """A rule as it is in force."""

    rule: RuleName
    on: bool
    severity: int
    title: Label
    about: Label
    numbers: dict[str, NumberView]
    phrases: dict[str, list[str]]


class Rulebook(Answer):
    """The rules of reception in force, by name; `version` changes with any of them."""

    version: str
    rules: list[RuleView]
