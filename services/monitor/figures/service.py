"""Answers figures of any stretch of time: stored rounds plus open ones whose day is over.

Knows how an open round of a past day counts; must not know routes or SQL.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from kit import sheets
from kit.errors import NotFound
from kit.postgres import Database
from profiles import WindowBy
from services.monitor.calendar.domain import Calendar
from services.monitor.directory.rules import Rules
from services.monitor.figures import repository as rows
from services.monitor.figures.domain import Bucket, hours, parts, shifts, stretch
from services.monitor.figures.layout import AT_ONCE, Found, Told, moment, put_together, window_of
from services.monitor.figures.metrics import Metric, Missed
from services.monitor.figures.repository import Asked, Hours, OpenRound, OpenSession, RowKey, key_of
from services.monitor.figures.schemas import Figures, FiguresQuery, FiguresRow
from services.monitor.fold.repository import folded_through_ms
from services.monitor.fold.states import States
from services.monitor.profiles.domain import HUMAN, Profile, ProfileName, ReadingKey
from services.monitor.response import repository as response
from services.monitor.response.domain import Session
from services.monitor.response.measure import Response
from services.monitor.traffic import repository as traffic

COLUMNS: Final = tuple(name for name in FiguresRow.model_fields if name not in {"start", "metrics"})
FIRSTS: Final = frozenset(one for one in Metric if one.startswith("frt_p") or one == Metric.FRT_MAX)
MISSED: Final = frozenset(
    {Metric.MISSED, Metric.ASSIGNED_SILENT, Metric.NEVER_ASSIGNED, Metric.LEFT_IN_QUEUE}
)


@dataclass(slots=True)
class Over:
    """What is open, as if nobody answered any more (H34): all of a profile's, of any time."""

    rounds: list[OpenRound] = field(default_factory=list)
    sessions: list[OpenSession] = field(default_factory=list)
    human: list[Session] = field(default_factory=list)
    """Sessions as people see them, whether the profile counts them or not."""
    asked: list[tuple[int, PersonId | None]] = field(default_factory=list)
    """When rounds opened and whose they are, whether the profile counts them or not."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, by which rules, and by whose clock."""

    asked: Asked
    profile: Profile
    human: ReadingKey
    calendar: Calendar
    metrics: Sequence[Metric]


class FigureReader:
    """Figures per shop or per agent under one profile. Readers may add sums and counts."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self._db = database
        self._rules = rules
        self._response = Response(rules)
        self._states = States([self._response])

    async def read(
        self, shop_id: ShopId, query: FiguresQuery, *, only: PersonId | None = None
    ) -> Figures:
        """Return the figures of a shop, or of one agent `only`.

        Raises `BadStretch`, and `NotFound` for a profile that is not loaded.
        """
        calendar = self._rules.directory.calendar(shop_id)
        start, end, cut = _cut(calendar, query)
        name = ProfileName(query.profile)
        versions = self._rules.book.versions.get(name)
        if versions is None:
            raise NotFound("No such profile is loaded.")
        asked = Asked(
            shop_id=shop_id,
            profile=name,
            start_ms=_ms(start),
            end_ms=_ms(end),
            parts=cut,
            by_shift=query.shift is not None,
            agent_id=only,
            by_agent=query.by == "agent" or only is not None,
        )
        ruling = self._rules.book.in_force(name, calendar.day(asked.end_ms - 1))
        question = Question(
            asked, ruling or versions[-1], self._human(versions[-1]), calendar, query.metrics
        )
        async with self._db.read(shop_id) as session:
            over = await self._over(session, question)
            found = await _found(session, question, over)
            told = await self._told(session, question, versions)
            open_rounds = await rows.count_open(session, asked)
        return Figures(
            shop_id=shop_id,
            profile=name,
            effective_from=[version.effective_from for version in versions],
            **_limits(versions[-1]),
            time_zone=str(calendar.zone),
            start=start,
            end=end,
            as_of=None if told.as_of_ms is None else moment(told.as_of_ms),
            open_rounds=open_rounds,
            by="agent" if asked.by_agent else "shop",
            bucket=query.bucket,
            shift=query.shift,
            rows=await put_together(asked, found, told),
        )

    async def as_csv(
        self, shop_id: ShopId, query: FiguresQuery, *, only: PersonId | None = None
    ) -> str:
        """Return the same rows as a file for spreadsheets, moments by the shop's clock."""
        figures = await self.read(shop_id, query, only=only)
        calendar, name = self._rules.directory.calendar(shop_id), self._rules.directory.name
        head = ("start", "agent", *COLUMNS, *query.metrics)
        written = [sheets.MARK, sheets.lines([head])]
        for first in range(0, len(figures.rows), AT_ONCE):
            some = figures.rows[first : first + AT_ONCE]
            written.append(
                sheets.lines(
                    [
                        (
                            (row.start or figures.start).astimezone(calendar.zone).isoformat(),
                            name(row.agent_id) if row.agent_id else "",
                            *(getattr(row, column) for column in COLUMNS),
                            *(row.metrics[metric].value for metric in query.metrics),
                        )
                        for row in some
                    ]
                )
            )
            await asyncio.sleep(0)
        return "".join(written)

    def _human(self, profile: Profile) -> ReadingKey:
        """Return the reading by which people see conversations, if the book has it."""
        known = {reading.key for reading in self._rules.book.readings}
        return HUMAN if HUMAN in known else profile.reading.key

    async def _over(self, session: AsyncSession, question: Question) -> Over:
        """Judge what is open as of its partition's log time, as if nobody answered any more (H34).

        Who waits on a day that is not over is shown as waiting, not as failed.
        """
        found, name = Over(), question.asked.profile
        async for states in response.unsettled(session, question.asked.shop_id):
            for state, log_ms in states:
                known = self._states.decode(state)
                over = self._response.shown(known.parts[0], known.standing, log_ms)
                found.asked += [(ended.opened_ms, ended.agent_id) for ended, _ in over.rounds]
                for ended, judged in over.rounds:
                    score = judged.scores.get(name)
                    if score is not None:
                        found.rounds.append(
                            OpenRound(
                                ended.opened_ms,
                                ended.agent_id,
                                ended.buyer_id,
                                judged.day,
                                ended.conversation_id,
                                ended.session_offset,
                                score,
                            )
                        )
                for begun, judged in over.sessions:
                    if question.human in begun.readings:
                        found.human.append(begun)
                    score = judged.scores.get(name)
                    if score is not None:
                        found.sessions.append(
                            OpenSession(
                                begun.started_ms,
                                begun.agent_id,
                                begun.conversation_id,
                                begun.started_offset,
                                judged.day,
                                score,
                            )
                        )
        return found

    async def _told(
        self, session: AsyncSession, question: Question, versions: Sequence[Profile]
    ) -> Told:
        asked, calendar, profile = question.asked, question.calendar, question.profile
        as_of_ms = await traffic.as_of_ms(session, asked.shop_id)
        if not question.metrics:
            return Told(as_of_ms=as_of_ms)
        through_ms = await folded_through_ms(session) or 0
        if not profile.leave_messages_count or MISSED & set(question.metrics):
            through_ms = min(through_ms, self._rules.staffing.through_ms)
        first, since = calendar.day(asked.start_ms), versions[0].effective_from
        unplaced: date | None = None
        if Metric.REPLY_RATE_SESSIONS in question.metrics:
            unplaced = await rows.unplaced_through(session, asked)
        return Told(
            metrics=question.metrics,
            window=window_of(profile, str(calendar.zone)),
            version=profile.effective_from,
            as_of_ms=as_of_ms,
            through_ms=through_ms,
            rules_since=since if since > first else None,
            sessions_since=None if unplaced is None else unplaced + timedelta(days=1),
        )


async def _found(session: AsyncSession, question: Question, over: Over) -> Found:
    """Read what is stored, and add what is open; what nobody asks for by name is not read."""
    asked, metrics = question.asked, set(question.metrics)
    mine = [one for one in over.sessions if asked.holds(one.at_ms) and asked.is_of(one.agent_id)]
    rounds = await rows.rounds(session, asked, over.rounds, slow_times=question.profile.slow_times)
    sessions = await rows.sessions(session, asked, mine)
    found = Found(rounds, sessions)
    if metrics & FIRSTS:
        replied = {key: one.score.first_responses for key, one in sessions.items()}
        samples = {key: count for key, count in replied.items() if count}
        found.firsts = await rows.spreads(session, asked, "sessions", samples=samples)
    if Metric.REPLY_RATE_SESSIONS in metrics:
        found.whole = await rows.whole_sessions(
            session,
            asked,
            open_rounds=over.rounds,
            open_sessions=mine,
            day_over_ms=question.calendar.day_end(asked.end_ms - 1),
        )
    if metrics & MISSED:
        found.missed = await _missed(session, question, over.human)
    if metrics:
        found.present = await rows.present(session, asked) | {
            asked.part_of(at_ms)
            for at_ms, agent_id in over.asked
            if asked.holds(at_ms) and asked.is_of(agent_id)
        }
    return found


async def _missed(
    session: AsyncSession, question: Question, still_open: Sequence[Session]
) -> dict[RowKey, Missed]:
    """Return sessions as people see them, settled or as if they were over, that got no answer."""
    asked, calendar, profile = question.asked, question.calendar, question.profile
    midnights = [calendar.midnight(calendar.day(asked.start_ms))]
    while midnights[-1] < asked.end_ms:
        midnights.append(calendar.day_end(midnights[-1]))
    midnights.append(calendar.day_end(midnights[-1]))
    to_human = profile.window_by is WindowBy.TO_HUMAN
    found = await rows.missed(
        session,
        asked,
        Hours(hours(calendar, profile.window, midnights), midnights, to_human, question.human),
    )
    for one in still_open:
        anchor_ms = one.to_human_ms if to_human else one.started_ms
        if not (asked.holds(one.started_ms) and asked.is_of(one.agent_id)):
            continue
        if profile.window.holds(calendar.into_day_ms(anchor_ms)):
            key = key_of(asked, one.started_ms, one.agent_id)
            found[key] = found.get(key, Missed()).plus(_kind(one, calendar))
    return found


def _kind(one: Session, calendar: Calendar) -> Missed:
    """Return why nobody answered a session."""
    if one.assigned_ms is not None and one.assigned_ms < calendar.day_end(one.started_ms):
        return Missed(1, assigned_silent=1)
    return Missed(1, never_assigned=1) if one.unstaffed else Missed(1, left_in_queue=1)


def _cut(calendar: Calendar, query: FiguresQuery) -> tuple[datetime, datetime, Sequence[int]]:
    """Return where figures begin and end, and where their parts do. Raises `BadStretch`."""
    if query.shift is not None:
        cut = shifts(calendar, query.start, query.end, shift=query.shift)
        return _local(calendar, cut[0]), _local(calendar, cut[-1]), cut
    start, end = stretch(query.start, query.end, calendar.zone)
    if query.bucket is None:
        return start, end, ()
    return start, end, parts(calendar, _ms(start), _ms(end), bucket=Bucket(query.bucket))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _local(calendar: Calendar, at_ms: int) -> datetime:
    return moment(at_ms).astimezone(calendar.zone)


def _limits(profile: Profile) -> dict[str, int]:
    return {
        "within_ms": profile.within_ms,
        "slow_ms": profile.slow_ms,
        "first_within_ms": profile.first_within_ms,
    }
