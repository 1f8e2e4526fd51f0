"""Answers figures of any stretch of time: stored rounds plus open ones whose day is over.

Knows how an open round of a past day counts; must not know routes or SQL.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.people import PersonId, ShopId
from kit.clock import Clock
from kit.errors import NotFound
from kit.postgres import Database
from services.monitor.domain import Profile, ProfileName, Score
from services.monitor.repository import figures as rows
from services.monitor.repository.figures import (
    Asked,
    OpenRound,
    OpenSession,
    RoundRow,
    Spread,
)
from services.monitor.rounds import Conversation, Machine
from services.monitor.schemas.answers import Figures, FiguresRow
from services.monitor.service.folding import Rules, judge_round, judge_session


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader wants to know; moments are aware, `end` excluded."""

    shop_id: ShopId
    profile: ProfileName
    start: datetime
    end: datetime
    by_agent: bool
    only: PersonId | None = None


class FigureReader:
    """Figures per shop or per agent under one profile. Readers may add sums and counts."""

    def __init__(self, database: Database, rules: Rules, *, clock: Clock) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._machine = Machine(rules.book.readings)

    async def read(self, question: Question) -> Figures:
        """Return the figures. Raises `NotFound` for a profile that is not loaded."""
        versions = self._rules.book.versions.get(question.profile)
        if versions is None:
            raise NotFound("No such profile is loaded.")
        asked = Asked(
            shop_id=question.shop_id,
            profile=question.profile,
            start_ms=round(question.start.timestamp() * 1000),
            end_ms=round(question.end.timestamp() * 1000),
            agent_id=question.only,
            by_agent=question.by_agent,
        )
        calendar = self._rules.directory.calendar(question.shop_id)
        today_ms = calendar.midnight(calendar.day(self._clock.now_ms()))
        async with self._database.read() as session:
            states = await rows.open_states(session, asked.shop_id, before_ms=today_ms)
            over = self._over(states, asked, today_ms)
            rounds = await rows.rounds(session, asked, over.rounds)
            sessions = await rows.sessions(session, asked, over.sessions)
            open_rounds = await rows.count_open(session, asked)
            as_of = await rows.as_of_ms(session, asked.shop_id)
        return Figures(
            shop_id=question.shop_id,
            profile=question.profile,
            effective_from=[version.effective_from for version in versions],
            **_limits(versions[-1]),
            time_zone=str(calendar.zone),
            start=question.start,
            end=question.end,
            as_of=None if as_of is None else datetime.fromtimestamp(as_of / 1000, UTC),
            open_rounds=open_rounds,
            by="agent" if question.by_agent else "shop",
            rows=_rows(rounds, sessions),
        )

    def _over(self, states: Iterable[Conversation], asked: Asked, today_ms: int) -> "_Over":
        """Judge what is still open from days before today: at their midnight it had no answer."""
        found = _Over([], [])
        for state in states:
            settled = self._machine.as_if_over(state, today_ms)
            for ended in settled.rounds:
                judged = judge_round(self._rules, ended)
                score = judged.scores.get(asked.profile)
                if score is not None and _asked_for(
                    asked, ended.opened_ms, ended.agent_id, today_ms
                ):
                    found.rounds.append(
                        OpenRound(ended.agent_id, ended.buyer_id, judged.day, score)
                    )
            for session in settled.sessions:
                score = judge_session(self._rules, session).scores.get(asked.profile)
                if score is not None and _asked_for(
                    asked, session.started_ms, session.agent_id, today_ms
                ):
                    found.sessions.append(OpenSession(session.agent_id, score))
        return found


@dataclass(frozen=True, slots=True)
class _Over:
    rounds: list[OpenRound]
    sessions: list[OpenSession]


def _asked_for(asked: Asked, at_ms: int, agent_id: PersonId | None, today_ms: int) -> bool:
    if asked.agent_id is not None and agent_id != asked.agent_id:
        return False
    return at_ms < today_ms and asked.start_ms <= at_ms < asked.end_ms


def _limits(profile: Profile) -> dict[str, int]:
    return {
        "within_ms": profile.within_ms,
        "slow_ms": profile.slow_ms,
        "first_within_ms": profile.first_within_ms,
    }


def _rows(rounds: Iterable[RoundRow], sessions: dict[PersonId | None, Score]) -> list[FiguresRow]:
    by_agent = {row.agent_id: row for row in rounds}
    nothing = Spread(None, None, None, None)
    found = []
    for agent_id in sorted({*by_agent, *sessions}, key=lambda agent: agent or ""):
        row = by_agent.get(agent_id, RoundRow(agent_id, Score(), nothing, 0, 0, 0))
        total = row.score + sessions.get(agent_id, Score())
        found.append(
            FiguresRow(
                agent_id=agent_id,
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
        )
    return found
