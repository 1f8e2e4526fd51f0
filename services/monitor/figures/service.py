"""Answers figures of any stretch of time: stored rounds plus open ones whose day is over.

Knows how an open round of a past day counts; must not know routes or SQL.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contracts.people import PersonId, ShopId
from kit import sheets
from kit.errors import NotFound
from kit.postgres import Database
from services.monitor.calendar.domain import Calendar
from services.monitor.directory.rules import Rules
from services.monitor.figures import repository as rows
from services.monitor.figures.domain import ROWS_LIMIT, TooManyRows, parts, shifts, stretch
from services.monitor.figures.repository import (
    Asked,
    OpenRound,
    OpenSession,
    RoundTotals,
    RowKey,
    Spread,
)
from services.monitor.figures.schemas import Figures, FiguresQuery, FiguresRow
from services.monitor.fold.states import States
from services.monitor.profiles.domain import Profile, ProfileName
from services.monitor.response import repository as response
from services.monitor.response.domain import Score
from services.monitor.response.measure import Response
from services.monitor.traffic import repository as traffic

AT_ONCE: Final = 500
"""Rows that are made or written between two turns of the event loop, on which the fold runs, too.
"""

COLUMNS: Final = tuple(name for name in FiguresRow.model_fields if name != "start")

_NOTHING: Final = Spread(None, None, None, None)


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
        profile = ProfileName(query.profile)
        versions = self._rules.book.versions.get(profile)
        if versions is None:
            raise NotFound("No such profile is loaded.")
        question = Asked(
            shop_id=shop_id,
            profile=profile,
            start_ms=_ms(start),
            end_ms=_ms(end),
            parts=cut,
            by_shift=query.shift is not None,
            agent_id=only,
            by_agent=query.by == "agent" or only is not None,
        )
        async with self._db.read(shop_id) as session:
            over = _Over([], [])
            async for states in response.unsettled(session, shop_id):
                self._add_over(over, states, question)
            rounds = await rows.rounds(session, question, over.rounds)
            sessions = await rows.sessions(session, question, over.sessions)
            open_rounds = await rows.count_open(session, question)
            as_of = await traffic.as_of_ms(session, question.shop_id)
        return Figures(
            shop_id=shop_id,
            profile=profile,
            effective_from=[version.effective_from for version in versions],
            **_limits(versions[-1]),
            time_zone=str(calendar.zone),
            start=start,
            end=end,
            as_of=None if as_of is None else datetime.fromtimestamp(as_of / 1000, UTC),
            open_rounds=open_rounds,
            by="agent" if question.by_agent else "shop",
            bucket=query.bucket,
            shift=query.shift,
            rows=await put_together(question, rounds, sessions),
        )

    async def as_csv(
        self, shop_id: ShopId, query: FiguresQuery, *, only: PersonId | None = None
    ) -> str:
        """Return the same rows as a file for spreadsheets, moments by the shop's clock."""
        figures = await self.read(shop_id, query, only=only)
        calendar, name = self._rules.directory.calendar(shop_id), self._rules.directory.name
        written = [sheets.MARK, sheets.lines([("start", "agent", *COLUMNS)])]
        for first in range(0, len(figures.rows), AT_ONCE):
            some = figures.rows[first : first + AT_ONCE]
            written.append(
                sheets.lines(
                    [
                        (
                            (row.start or figures.start).astimezone(calendar.zone).isoformat(),
                            name(row.agent_id) if row.agent_id else "",
                            *(value for field, value in row if field != "start"),
                        )
                        for row in some
                    ]
                )
            )
            await asyncio.sleep(0)
        return "".join(written)

    def _add_over(
        self, found: "_Over", states: Iterable[tuple[bytes, int]], question: Asked
    ) -> None:
        """Judge what is open as of its partition's log time, as if nobody answered any more (H34).

        Who waits on a day that is not over is shown as waiting, not as failed.
        """
        for state, log_ms in states:
            known = self._states.decode(state)
            over = self._response.shown(known.parts[0], known.standing, log_ms)
            for ended, judged in over.rounds:
                score = judged.scores.get(question.profile)
                if score is not None and _asked_for(question, ended.opened_ms, ended.agent_id):
                    found.rounds.append(
                        OpenRound(
                            ended.opened_ms, ended.agent_id, ended.buyer_id, judged.day, score
                        )
                    )
            for session, judged in over.sessions:
                score = judged.scores.get(question.profile)
                if score is not None and _asked_for(question, session.started_ms, session.agent_id):
                    found.sessions.append(OpenSession(session.started_ms, session.agent_id, score))


@dataclass(frozen=True, slots=True)
class _Over:
    rounds: list[OpenRound]
    sessions: list[OpenSession]


def _asked_for(question: Asked, at_ms: int, agent_id: PersonId | None) -> bool:
    if question.agent_id is not None and agent_id != question.agent_id:
        return False
    return question.start_ms <= at_ms < question.end_ms


def _cut(calendar: Calendar, query: FiguresQuery) -> tuple[datetime, datetime, Sequence[int]]:
    """Return where figures begin and end, and where their parts do. Raises `BadStretch`."""
    if query.shift is not None:
        cut = shifts(calendar, query.start, query.end, shift=query.shift)
        return _local(calendar, cut[0]), _local(calendar, cut[-1]), cut
    start, end = stretch(query.start, query.end, calendar.zone)
    if query.bucket is None:
        return start, end, ()
    return start, end, parts(calendar, _ms(start), _ms(end), bucket=query.bucket)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _local(calendar: Calendar, at_ms: int) -> datetime:
    return _moment(at_ms).astimezone(calendar.zone)


def _limits(profile: Profile) -> dict[str, int]:
    return {
        "within_ms": profile.within_ms,
        "slow_ms": profile.slow_ms,
        "first_within_ms": profile.first_within_ms,
    }


async def put_together(
    question: Asked, rounds: Iterable[RoundTotals], sessions: Mapping[RowKey, Score]
) -> list[FiguresRow]:
    """Return the rows of an answer, by part and then by person. Raises `TooManyRows`."""
    by_key = {row.key: row for row in rounds}
    keys = {key for key in (*by_key, *sessions) if question.counts(key.part)}
    if len(keys) > ROWS_LIMIT:
        raise TooManyRows(f"An answer has {ROWS_LIMIT} rows at most: ask for a shorter stretch.")
    found: list[FiguresRow] = []
    for key in sorted(keys, key=lambda key: (key.part, key.agent_id or "")):
        row = by_key.get(key, RoundTotals(key, Score(), _NOTHING, 0, 0, 0))
        start = _moment(question.parts[key.part - 1]) if key.part else None
        found.append(_row(row, row.score + sessions.get(key, Score()), start))
        if len(found) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


def _row(row: RoundTotals, total: Score, start: datetime | None) -> FiguresRow:
    return FiguresRow(
        agent_id=row.key.agent_id,
        start=start,
        rounds=total.rounds,
        round_ms=total.round_ms,
        unanswered=total.unanswered,
        within=total.within,
        slow=total.slow,
        sessions=total.sessions,
        first_responses=total.first_responses,
        first_response_ms=total.first_response_ms,
        first_within=total.first_within,
        round_p50_ms=row.spread.p50_ms,
        round_p90_ms=row.spread.p90_ms,
        round_p95_ms=row.spread.p95_ms,
        round_max_ms=row.spread.max_ms,
        buyers=row.buyers,
        buyers_unanswered=row.buyers_unanswered,
        buyers_late=row.buyers_late,
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
