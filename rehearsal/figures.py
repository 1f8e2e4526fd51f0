"""The rehearsal's own arithmetic of response times, from history as the public API shows it.

Written against metrics.md and not against the monitor: two computations that agree are evidence.
Covers what a rehearsal produces: no roster, no silence of ten minutes, no leave-messages.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

SHOP_ZONE: Final = ZoneInfo("Asia/Shanghai")

REJOIN: Final = timedelta(minutes=10)
"""A contact so soon after closing belongs to the same session (jd_2021, all profiles here)."""

WITHIN: Final = timedelta(seconds=30)

SHOP: Final = ""
"""The key of the whole shop in a table of figures; every other key is an agent."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What sets one profile apart here. `unanswered_ms` None: such rounds are not averaged."""

    name: str
    opens: time
    closes: time | None
    by_session: bool
    cap_ms: int | None
    unanswered_ms: int | None


RULES: Final = (
    Rule("taobao_2022", time(8), time(23), by_session=False, cap_ms=600_000, unanswered_ms=600_000),
    Rule("jd_2021", time(9), time(23), by_session=True, cap_ms=None, unanswered_ms=None),
    Rule("qiyu", time(0), None, by_session=False, cap_ms=None, unanswered_ms=None),
)


@dataclass(slots=True)
class Figures:
    """Sums and counts under one profile, named as the monitor names them."""

    rounds: int = 0
    round_ms: int = 0
    unanswered: int = 0
    first_responses: int = 0
    first_response_ms: int = 0
    first_within: int = 0
    sessions: int = 0


Table = dict[str, dict[str, Figures]]
"""Figures by profile, then by agent id or `SHOP`."""


@dataclass(slots=True)
class _Round:
    opened: datetime
    owner: str | None
    session: datetime
    answered: datetime | None = None
    transferred: bool = False


@dataclass(slots=True)
class _Session:
    started: datetime
    ended: datetime | None = None
    replied: datetime | None = None
    by: str | None = None
    settled: bool = False


@dataclass(slots=True)
class _Reading:
    """One conversation, read from its first item to its last."""

    owner: str | None = None
    seat: int = 0
    version: int = 0
    session: _Session | None = None
    open_round: _Round | None = None
    rounds: list[_Round] = field(default_factory=list)
    sessions: list[_Session] = field(default_factory=list)

    def read(self, item: dict[str, Any]) -> None:
        at, d = datetime.fromisoformat(item["time"]), item["d"]
        kind = item["type"].removesuffix(".v1")
        if kind == "chat.message":
            if d["sender_kind"] == "buyer":
                self._asked(at)
            elif d["sender_kind"] == "agent":
                self._replied(at, d["sender_id"], d.get("assignment_version"))
            return
        if d["version"] <= self.version:
            return
        self.version = d["version"]
        match kind:
            case "conversation.assigned":
                self._owned(at, d["agent_id"], d["version"])
            case "conversation.queued":
                self._owned(at, None, d["version"])
            case "conversation.transferred":
                self._owned(at, d["to_agent_id"], d["version"])
            case "conversation.closed":
                self._closed(at)

    def _asked(self, at: datetime) -> None:
        session = self.session
        if session is None or (session.ended is not None and at - session.ended >= REJOIN):
            session = self.session = _Session(at)
        session.ended = None
        if self.open_round is None:
            self.open_round = _Round(at, self.owner, session.started)

    def _replied(self, at: datetime, agent: str, seat: int | None) -> None:
        if seat is not None and seat < self.seat:
            return
        if seat is not None and (seat > self.seat or self.owner is None):
            self._owned(at, agent, seat, force=True)
        if agent != self.owner:
            return
        if self.open_round is not None:
            self.open_round.answered = at
            self.rounds.append(self.open_round)
            self.open_round = None
        if self.session is not None and self.session.ended is None:
            self._settle(at)

    def _owned(self, at: datetime, agent: str | None, version: int, *, force: bool = False) -> None:
        if version <= self.seat and not force:
            return
        self.seat = version
        if agent == self.owner:
            return
        self.owner = agent
        waiting = self.open_round
        if waiting is not None and waiting.owner is not None:
            waiting.transferred = True
            self.rounds.append(waiting)
            self.open_round = _Round(at, agent, waiting.session)
        elif waiting is not None:
            waiting.owner = agent

    def _closed(self, at: datetime) -> None:
        if self.open_round is not None:
            self.rounds.append(self.open_round)
            self.open_round = None
        self._settle(None)
        if self.session is not None:
            self.session.ended = at
        self.owner = None

    def _settle(self, replied: datetime | None) -> None:
        session = self.session
        if session is not None and not session.settled:
            session.settled = True
            session.replied, session.by = replied, self.owner
            self.sessions.append(session)


def compute(conversations: Iterable[Sequence[dict[str, Any]]]) -> Table:
    """Compute every rule's figures from whole histories, each in the order of its log."""
    table: Table = {rule.name: defaultdict(Figures) for rule in RULES}
    for items in conversations:
        reading = _Reading()
        for item in items:
            reading.read(item)
        for rule in RULES:
            for ended in reading.rounds:
                _count_round(rule, ended, table[rule.name])
            for session in reading.sessions:
                _count_session(rule, session, table[rule.name])
    return table


def _count_round(rule: Rule, ended: _Round, figures: dict[str, Figures]) -> None:
    if not _in_window(rule, ended.session if rule.by_session else ended.opened):
        return
    if ended.transferred and rule.unanswered_ms is None:
        return
    for key in _keys(ended.owner):
        mine = figures[key]
        if ended.answered is not None and _day(ended.answered) == _day(ended.opened):
            took = max(0, _ms(ended.answered - ended.opened))
            mine.rounds += 1
            mine.round_ms += took if rule.cap_ms is None else min(took, rule.cap_ms)
        else:
            mine.unanswered += 1
            mine.rounds += rule.unanswered_ms is not None
            mine.round_ms += rule.unanswered_ms or 0


def _count_session(rule: Rule, session: _Session, figures: dict[str, Figures]) -> None:
    if not _in_window(rule, session.started):
        return
    for key in _keys(session.by):
        mine = figures[key]
        mine.sessions += 1
        if session.replied is not None and _day(session.replied) == _day(session.started):
            took = max(timedelta(0), session.replied - session.started)
            mine.first_responses += 1
            mine.first_response_ms += _ms(took)
            mine.first_within += took <= WITHIN


def _keys(agent: str | None) -> tuple[str, ...]:
    return (SHOP,) if agent is None else (SHOP, agent)


def _in_window(rule: Rule, at: datetime) -> bool:
    local = at.astimezone(SHOP_ZONE).time()
    return rule.opens <= local and (rule.closes is None or local < rule.closes)


def _day(at: datetime) -> int:
    return at.astimezone(SHOP_ZONE).toordinal()


def _ms(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure on which the two computations do not agree."""

    profile: str
    who: str
    figure: str
    monitor: int
    rehearsal: int


def compare(monitor: Table, rehearsal: Table) -> tuple[int, list[Difference]]:
    """Return how many non-zero figures were compared and those that differ."""
    compared = 0
    differences: list[Difference] = []
    nothing = Figures()
    for rule in RULES:
        theirs, ours = monitor.get(rule.name, {}), rehearsal.get(rule.name, {})
        for who in sorted({*theirs, *ours}):
            for name in Figures.__dataclass_fields__:
                one = getattr(theirs.get(who, nothing), name)
                other = getattr(ours.get(who, nothing), name)
                compared += bool(one or other)
                if one != other:
                    differences.append(Difference(rule.name, who, name, one, other))
    return compared, differences
