"""Answers what lies behind a figure: what is stored, and what is open though its day is over.

Knows how figures are put together; must not know routes or SQL.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ConversationId, PersonId, ShopId
from kit.errors import NotFound
from kit.postgres import Database
from kit.web import paging
from kit.web.paging import Cursors, Page
from services.monitor.directory.rules import Rules
from services.monitor.drill import repository
from services.monitor.drill.domain import Counted, Outcome, Place, Wanted
from services.monitor.drill.repository import Asked
from services.monitor.drill.schemas import CountedRow, DrillQuery
from services.monitor.figures.domain import stretch
from services.monitor.fold.states import States
from services.monitor.profiles.domain import ProfileName
from services.monitor.response import repository as response
from services.monitor.response.domain import Round, Session
from services.monitor.response.measure import Changes, Response


class Stored(Protocol):
    """Reads a page of what is settled."""

    async def __call__(
        self, session: AsyncSession, query: Asked, *, after: Place | None, limit: int
    ) -> Sequence[Counted]: ...


def _place(kept: Mapping[str, Any]) -> Place:
    return Place(int(kept["at"]), ConversationId(str(kept["id"])), int(kept["o"]))


NEWEST_FIRST: Final[paging.Order[Counted, Place]] = paging.Order(
    lambda row: {"at": row.at_ms, "id": row.conversation_id, "o": row.offset}, _place
)


class Drill:
    """Lists what `figures` counts, so that each number can be looked into.

    What is still open on a day that is over counts as unanswered there (H34): it is in no table,
    and is put between the stored rows.
    """

    def __init__(self, database: Database, rules: Rules, cursors: Cursors) -> None:
        self._db = database
        self._rules = rules
        self._cursors = cursors
        self._response = Response(rules)
        self._states = States([self._response])

    async def rounds(
        self, shop_id: ShopId, query: DrillQuery, *, only: PersonId | None = None
    ) -> Page[CountedRow]:
        """Return a page of rounds: of a shop, or of one agent `only`.

        Raises `BadStretch`, `BadCursor`, and `NotFound` for a profile that is not loaded.
        """
        question = self._asked(shop_id, query, only)
        return await self._page(question, query, ROUNDS)

    async def sessions(
        self, shop_id: ShopId, query: DrillQuery, *, only: PersonId | None = None
    ) -> Page[CountedRow]:
        """Return a page of sessions with their first response. Raises as `rounds` does."""
        question = self._asked(shop_id, query, only)
        return await self._page(question, query, SESSIONS)

    def _asked(self, shop_id: ShopId, query: DrillQuery, only: PersonId | None) -> Asked:
        profile = ProfileName(query.profile)
        if profile not in self._rules.book.versions:
            raise NotFound("No such profile is loaded.")
        start, end = stretch(query.start, query.end, self._rules.directory.calendar(shop_id).zone)
        agent = only or (None if query.agent is None else PersonId(query.agent))
        return Asked(
            shop_id=shop_id,
            profile=profile,
            start_ms=round(start.timestamp() * 1000),
            end_ms=round(end.timestamp() * 1000),
            wanted=Wanted(query.outcome, agent, query.unowned and only is None),
        )

    async def _page(self, question: Asked, query: DrillQuery, kind: "Kind") -> Page[CountedRow]:
        page = paging.page(
            self._cursors, query, by=NEWEST_FIRST, shop_id=question.shop_id, list_name=kind.name
        )
        async with self._db.read(question.shop_id) as session:
            rows = list(await kind.stored(session, question, after=page.after, limit=page.limit))
            async for states in response.unsettled(session, question.shop_id):
                rows += self._unsettled(states, question, kind=kind, after=page.after)
        rows.sort(key=lambda row: row.place, reverse=True)
        return page.show(rows[: page.limit], _shown)

    def _unsettled(
        self,
        states: Iterable[tuple[bytes, int]],
        question: Asked,
        *,
        kind: "Kind",
        after: Place | None,
    ) -> Iterator[Counted]:
        """Yield what is asked for of open conversations, as if nobody answered any more."""
        for state, log_ms in states:
            known = self._states.decode(state)
            over = self._response.shown(known.parts[0], known.standing, log_ms)
            found = kind.unsettled(over, question.profile)
            for row in found:
                is_behind = after is None or row.place < after
                is_within = question.start_ms <= row.at_ms < question.end_ms
                if is_behind and is_within and question.wanted.holds(row):
                    yield row


def _rounds(over: Changes, profile: ProfileName) -> Iterator[Counted]:
    for ended, judged in over.rounds:
        score = judged.scores.get(profile)
        if score is not None:
            place = Place(ended.opened_ms, ended.conversation_id, ended.opened_offset)
            yield _unanswered(place, ended, score.round_ms, in_average=score.rounds > 0)


def _sessions(over: Changes, profile: ProfileName) -> Iterator[Counted]:
    for settled, judged in over.sessions:
        score = judged.scores.get(profile)
        if score is not None:
            place = Place(settled.started_ms, settled.conversation_id, settled.started_offset)
            yield _unanswered(place, settled, 0, in_average=score.sessions > 0)


def _unanswered(place: Place, of: Round | Session, counted_ms: int, *, in_average: bool) -> Counted:
    return Counted(
        *place, of.buyer_id, of.agent_id, None, counted_ms, Outcome.UNANSWERED, in_average
    )


def _shown(row: Counted) -> CountedRow:
    return CountedRow(
        conversation_id=row.conversation_id,
        buyer_id=row.buyer_id,
        agent_id=row.agent_id,
        at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
        took_ms=row.took_ms,
        counted_ms=row.counted_ms,
        outcome=row.outcome,
    )


class Kind(NamedTuple):
    """What is listed: how its settled rows are read, and how what is open is shown as one."""

    name: str
    stored: Stored
    unsettled: Callable[[Changes, ProfileName], Iterator[Counted]]


ROUNDS: Final = Kind("rounds", repository.rounds, _rounds)
SESSIONS: Final = Kind("sessions", repository.sessions, _sessions)
