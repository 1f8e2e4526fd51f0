"""Answers who asked, was received, and how. Must not know routes or SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from contracts.people import PersonId, SenderKind, ShopId
from kit import sheets
from kit.errors import NotFound
from kit.postgres import Database
from services.monitor.access.schemas import Figure, Why
from services.monitor.calendar.domain import Calendar
from services.monitor.directory.rules import Rules
from services.monitor.fold.states import States
from services.monitor.inquiries import repository
from services.monitor.inquiries.domain import (
    REASONS,
    InquiriesBy,
    OpenRound,
    OpenSession,
    People,
    Slowness,
    StillOpen,
    Stopped,
)
from services.monitor.inquiries.repository import Asked, Filtering, Kind
from services.monitor.inquiries.schemas import (
    Filtered,
    Inquiries,
    InquiriesQuery,
    InquiriesRow,
    WordingKind,
)
from services.monitor.profiles.domain import Profile, ProfileName
from services.monitor.response import repository as response
from services.monitor.response.measure import Response
from services.monitor.traffic import repository as turns
from services.monitor.traffic.domain import first_whole

SETTLE_MS: Final = 5_000
"""So long behind a moment it is taken for told: what was written by then has arrived (N2)."""

_COLUMNS: Final = ("consulted", "received", "unreceived")
_FIGURES: Final = ("reception", "answers", "slow", "blocked", "confirmed", "delivered")


@dataclass(slots=True)
class _Found:
    """What was read in one snapshot, by agent, day, or under None."""

    people: dict[Any, People] = field(default_factory=dict)
    words: dict[Any, int] = field(default_factory=dict)
    most: dict[Any, int] = field(default_factory=dict)
    slow: dict[Any, Slowness] = field(default_factory=dict)
    stopped: dict[Any, Stopped] = field(default_factory=dict)
    kinds: dict[Kind, Stopped] = field(default_factory=dict)
    through_ms: int = 0
    since_ms: int | None = None

    @property
    def keys(self) -> set[Any]:
        """Whatever has a row."""
        return {*self.people, *self.words, *self.slow, *self.stopped}


class InquiryReader:
    """Figures from turns. Readers may add counts of people over days, never over agents."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self._db = database
        self._rules = rules
        self._response = Response(rules)
        self._states = States([self._response])

    async def read(
        self, shop_id: ShopId, query: InquiriesQuery, *, only: PersonId | None = None
    ) -> Inquiries:
        """Return who asked the shop, or one agent `only`. Raises `NotFound` for the profile."""
        calendar = self._rules.directory.calendar(shop_id)
        versions = self._rules.book.versions.get(ProfileName(query.profile))
        if versions is None:
            raise NotFound("No such profile is loaded.")
        profile, by = versions[-1], InquiriesBy.AGENT if only is not None else query.by
        start_ms, end_ms = calendar.midnight(query.start), calendar.midnight(query.end)
        days = _days(calendar, query.start, query.end)
        question = Asked(shop_id, start_ms, end_ms, days, by, only)
        found = await self._look(question, profile)
        provisional = found.through_ms < end_ms + SETTLE_MS
        made = _Making(found, provisional=provisional)
        keys = {None} if by is InquiriesBy.SHOP else found.keys  # an empty shop explains itself
        rows = [
            made.row(key, agent_id=key if by is InquiriesBy.AGENT else None, day=_day(by, key))
            for key in sorted(keys, key=lambda key: (-made.consulted(key), str(key)))
        ]
        if by is InquiriesBy.DAY:
            rows.sort(key=lambda row: row.day or query.start)
        return Inquiries(
            shop_id=shop_id,
            profile=profile.name,
            effective_from=[version.effective_from for version in versions],
            slow_ms=profile.slow_ms,
            slow_times=profile.slow_times,
            time_zone=str(calendar.zone),
            start=_moment(start_ms),
            end=_moment(end_ms),
            as_of=_moment(min(end_ms, found.through_ms)) if found.through_ms else None,
            available_from=first_whole(calendar, found.since_ms),
            by=by,
            rows=rows,
            wording=[made.kind(kind, counted) for kind, counted in found.kinds.items()],
        )

    async def as_csv(
        self, shop_id: ShopId, query: InquiriesQuery, *, only: PersonId | None = None
    ) -> str:
        """Return the same rows as a file for spreadsheets."""
        report = await self.read(shop_id, query, only=only)

        def about(row: InquiriesRow) -> str:
            if row.agent_id is not None:
                return self._rules.directory.name(row.agent_id)
            return (row.day or query.start).isoformat()

        head = (report.by.value, *_COLUMNS, *REASONS, "most_at_once", *_FIGURES)
        rows = (
            (
                about(row),
                *(getattr(row, name) for name in _COLUMNS),
                *(getattr(row.filtered, name) for name in REASONS),
                row.most_at_once,
                *(getattr(row, name).value for name in _FIGURES),
            )
            for row in report.rows
        )
        return sheets.MARK + sheets.lines([head, *rows])

    async def _look(self, question: Asked, profile: Profile) -> _Found:
        """Read all of it in one snapshot."""
        with_bots = [
            reading.key
            for reading in self._rules.book.readings
            if SenderKind.ASSIST_BOT in reading.effective
        ]
        staff = self._rules.directory.staff(question.shop_id)
        filtering = Filtering(profile.filters, staff, profile.reading.key, with_bots)
        found = _Found()
        async with self._db.read(question.shop_id) as session:
            still_open = StillOpen([], [])
            async for states in response.unsettled(session, question.shop_id):
                self._add_open(still_open, states, question, profile=profile)
            found.people = await repository.people(
                session, question, filtering, still_open=still_open.sessions
            )
            found.words = await repository.agent_words(session, question)
            found.most = await repository.most_at_once(session, question)
            found.slow = await repository.slowness(
                session,
                question,
                still_open.rounds,
                profile=profile.name,
                times=profile.slow_times,
            )
            found.stopped = await repository.stopped(session, question)
            found.kinds = await repository.kinds(session, question)
            found.through_ms = await repository.through_ms(session)
            found.since_ms = await turns.told_since_ms(session)
        if question.by is InquiriesBy.DAY:
            days = [question.days[key - 1] for key in found.stopped]
            calendar = self._rules.directory.calendar(question.shop_id)
            counts = zip(map(calendar.day, days), found.stopped.values(), strict=True)
            found.stopped = dict(counts)
        return found

    def _add_open(
        self,
        still_open: StillOpen,
        states: Sequence[tuple[bytes, int]],
        question: Asked,
        *,
        profile: Profile,
    ) -> None:
        """Judge what nobody settled though its day is over, as if nobody answered any more."""
        stretch = range(question.start_ms, question.end_ms)
        for state, log_ms in states:
            known = self._states.decode(state)
            over = self._response.shown(known.parts[0], known.standing, log_ms)
            for ended, judged in over.rounds:
                score, agent = judged.scores.get(profile.name), ended.agent_id
                if score is None or agent is None or question.agent_id not in {None, agent}:
                    continue
                if ended.opened_ms in stretch:
                    still_open.rounds.append(
                        OpenRound(agent, ended.buyer_id, judged.day, score.slow)
                    )
            still_open.sessions.extend(
                OpenSession(judged.day, begun.buyer_id, begun.unstaffed)
                for begun, judged in over.sessions
                if profile.reading.key in begun.readings and begun.started_ms in stretch
            )


class _Making:
    """Makes the rows of an answer from what was read."""

    def __init__(self, found: _Found, *, provisional: bool) -> None:
        self._found = found
        self._provisional = provisional

    def consulted(self, key: Any) -> int:
        """Count those who asked."""
        return self._found.people.get(key, People()).consulted

    def row(self, key: Any, *, agent_id: PersonId | None, day: date | None) -> InquiriesRow:
        """Return the row of an agent, of a day, or of all."""
        found = self._found
        people, slow = found.people.get(key, People()), found.slow.get(key, Slowness())
        stopped, words = found.stopped.get(key, Stopped()), found.words.get(key, 0)
        outside = Why.OUTSIDE_WINDOW if people.consulted else Why.NO_TRAFFIC
        return InquiriesRow(
            agent_id=agent_id,
            day=day,
            consulted=people.consulted,
            received=people.received,
            unreceived=people.to_receive - people.received,
            filtered=Filtered(**dict(zip(REASONS, people.filtered, strict=True))),
            reception=self._figure(people.received, people.to_receive),
            answers=self._figure(people.agent_words, people.buyer_words),
            slow=self._figure(slow.slow, slow.asked, why=outside),
            most_at_once=found.most.get(key, 0),
            **self._rates(stopped, words + stopped.blocked),
        )

    def kind(self, kind: Kind, counted: Stopped) -> WordingKind:
        """Return the rates of one kind, among all that was said and stopped."""
        found = self._found
        said = sum(found.words.values()) + sum(one.blocked for one in found.stopped.values())
        return WordingKind(
            category=kind.category, severity=kind.severity, **self._rates(counted, said)
        )

    def _rates(self, counted: Stopped, said: int) -> dict[str, Figure]:
        return {name: self._figure(getattr(counted, name), said) for name in Stopped._fields}

    def _figure(self, numerator: int, denominator: int, *, why: Why = Why.NO_TRAFFIC) -> Figure:
        return Figure.of(numerator, denominator, why=why, provisional=self._provisional)


def _days(calendar: Calendar, start: date, end: date) -> list[int]:
    """Return where the days of a stretch begin."""
    return [calendar.midnight(start + timedelta(days=n)) for n in range((end - start).days)]


def _day(by: InquiriesBy, key: Any) -> date | None:
    return key if by is InquiriesBy.DAY else None


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
