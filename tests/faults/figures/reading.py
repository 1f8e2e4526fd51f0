"""One conversation under one rule profile: its sessions and rounds, as metrics.md defines them.

Written from that page alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.figures.log import Closed, Fact, Opened, Owned, Spoke, Voice
from tests.faults.figures.rules import Rule


@dataclass(slots=True)
class Session:
    """A stretch of contact. It starts with the buyer's word, its anchor `buyer_first_msg`.

    `owner` is who owned it at the first reply, or at its day's midnight, whichever was first (N5).
    """

    start: int
    midnight: int
    """The end of its day."""
    owner: str | None
    to_human: int | None = None
    replied: int | None = None
    closed: int | None = None
    """When a person closed it; a contact within the rejoin time takes this back (H34)."""

    def own(self, at: int, agent: str | None) -> None:
        """Note the owner, as long as it may still change."""
        if self.replied is None and at < self.midnight:
            self.owner = agent


@dataclass(slots=True)
class Round:
    """A question and what ended it.

    `owner` is his for whom it counts, at its midnight at the latest (N5), `holder` who owes the
    answer now. `since` is the buyer's own clock, which no transfer breaks (H37).
    """

    opened: int
    midnight: int
    """The end of its day."""
    since: int
    owner: str | None
    holder: str | None
    session: Session
    ended: int | None = None
    how: str = "open"
    """`open`, `answered`, `transferred`, `closed` or `silence`."""


@dataclass(slots=True)
class Reading:
    """What the facts of one conversation come to under one rule."""

    rule: Rule
    sessions: list[Session] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    _owner: str | None = None
    _with_people: bool = False
    _last: int = 0
    """The latest contact, be it before a session."""
    _session: Session | None = None
    _waiting: Round | None = None

    def read(self, facts: Iterable[Fact], *, until: int = 0) -> "Reading":
        """Take the facts in their order, and the silence until a moment; returns itself."""
        for fact in facts:
            self._end_what_is_over(fact.at)
            match fact:
                case Spoke():
                    self._spoke(fact)
                case Opened():
                    self._turn_to_people(fact.at)
                case Owned():
                    self._owned(fact)
                case Closed():
                    self._closed(fact)
        self._end_what_is_over(until)
        return self

    @property
    def waiting(self) -> Round | None:
        """The round that is open now."""
        return self._waiting

    def _spoke(self, fact: Spoke) -> None:
        self._last = max(self._last, fact.at)
        if self._session is None and fact.voice is not Voice.BUYER:
            return  # where staff speaks first, the session starts with the buyer's answer
        session = self._contact(fact.at)
        if fact.voice is Voice.BUYER and self._waiting is None:
            self._open(fact.at, since=fact.at)
        elif self._is_effective(fact.voice):
            self._end("answered", fact.at)
            session.replied = fact.at if session.replied is None else session.replied

    def _is_effective(self, voice: Voice) -> bool:
        """Colleagues close nothing (H8); a bot speaks for whoever owns the conversation."""
        name = {Voice.OWNER: "agent", Voice.BOT: "assist_bot"}.get(voice)
        return name in self.rule.effective

    def _contact(self, at: int) -> Session:
        """Return the session that a contact at this moment belongs to."""
        session = self._session
        if session is None:
            midnight = self.rule.midnight_after(at)
            session = self._session = Session(at, midnight, self._owner)
            session.to_human = at if self._with_people else None
            self.sessions.append(session)
        session.closed = None
        session.own(at, self._owner)
        return session

    def _is_over(self, session: Session, at: int) -> bool:
        """Whether the session has ended for good by this moment.

        One that a person closed waits for the rejoin alone, however long its silence is by then.
        """
        if session.closed is not None:
            return at - session.closed >= self.rule.rejoin
        if self._waiting is not None and not self.rule.gap_while_waiting:
            return False
        return at - self._last >= self.rule.gap

    def _end_what_is_over(self, at: int) -> None:
        """A question that is still open when its session is over is never answered."""
        session = self._session
        if session is not None and self._is_over(session, at):
            self._end("silence", self._last + self.rule.gap)
            self._session = None

    def _open(self, at: int, *, since: int) -> None:
        if self._session is not None:
            midnight, owner = self.rule.midnight_after(at), self._owner
            self._waiting = Round(at, midnight, since, owner, owner, self._session)
            self.rounds.append(self._waiting)

    def _end(self, how: str, at: int) -> None:
        if self._waiting is not None:
            self._waiting.how, self._waiting.ended = how, at
            self._waiting = None

    def _turn_to_people(self, at: int) -> None:
        self._with_people = True
        session = self._session
        if session is not None and session.to_human is None:
            session.to_human = max(at, session.start)

    def _owned(self, fact: Owned) -> None:
        self._turn_to_people(fact.at)
        self._owner = fact.agent
        session, waiting = self._session, self._waiting
        if session is not None and session.closed is None:
            session.own(fact.at, fact.agent)
        if waiting is None or waiting.holder == fact.agent:
            return
        if waiting.holder is None:
            waiting.holder = fact.agent
            if fact.at < waiting.midnight:
                waiting.owner = fact.agent
        else:
            # Whoever loses the seat with a question open leaves it: a requeue too.
            self._end("transferred", fact.at)
            self._open(fact.at, since=waiting.since)

    def _closed(self, fact: Closed) -> None:
        self._owner, self._with_people = fact.owner, fact.owner is not None
        session = self._session
        if fact.sweep is None and session is not None and session.closed is None:
            session.closed = fact.at
        if fact.sweep != "idle":
            self._end("closed", fact.at)
