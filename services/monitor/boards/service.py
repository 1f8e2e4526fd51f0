"""Builds a shop's board (H20). Knows what it shows; must not know who looks at it, or when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from contracts.monitor import AgentTile, BoardPublished, ResponseFigures, WaitingBuyer
from contracts.people import CHATTING_STAFF, AgentState, PersonId, ShopId
from kit.clock import Clock
from kit.ids import Ids
from kit.postgres import Database
from services.monitor.boards import repository
from services.monitor.boards.domain import pushed
from services.monitor.boards.repository import Today
from services.monitor.boards.schemas import Board, OwnDay
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Shop
from services.monitor.facts import repository as facts
from services.monitor.facts.repository import Seat
from services.monitor.fold.states import States
from services.monitor.profiles.domain import ProfileName
from services.monitor.response import repository as response
from services.monitor.response.domain import Score
from services.monitor.response.measure import Response
from services.monitor.response.repository import Load, Wait

ON_TIME_MS: Final = 2_000
"""Folded through a moment so lately: not delayed. It is noted once a second (H31)."""

WAITING_SHOWN: Final = 20
"""Longest waits on a board; the whole list is at `GET /v1/monitor/waiting`."""

_NOTHING: Final = Score()


class Boards:
    """Reads boards from the summed rows of all partitions."""

    def __init__(self, database: Database, rules: Rules, *, clock: Clock, ids: Ids) -> None:
        self._db = database
        self._directory = rules.directory
        self._book = rules.book
        self._response = Response(rules)
        self._states = States([self._response])
        self._clock = clock
        self._ids = ids

    async def read(self, shop_id: ShopId) -> Board:
        """Return the board of a shop as of now."""
        return Board.model_validate(await self.snapshot(shop_id), from_attributes=True)

    async def as_pushed(self, shop_id: ShopId) -> Board:
        """Return the board of a shop as of now, as its watchers get it."""
        return Board.model_validate(pushed(await self.snapshot(shop_id)), from_attributes=True)

    async def own_day(self, shop_id: ShopId, agent_id: PersonId) -> OwnDay:
        """Return an agent's own figures of his shop's local day, as far as they are settled."""
        shop, day = self._directory.shop(shop_id), self.today(shop_id)
        ruling = {name: self._book.in_force(name, day) for name in shop.profiles}
        profiles = [name for name, profile in ruling.items() if profile is not None]
        levelled = (name for name, profile in ruling.items() if profile and profile.levels)
        async with self._db.read(shop_id) as session:
            totals = await repository.own_counters(
                session, shop_id, agent_id, day=day, profiles=profiles
            )
        return OwnDay(
            shop_id=shop_id,
            agent_id=agent_id,
            day=day,
            profile=next(levelled, next(iter(profiles), None)),
            figures=[
                _figures(name, totals.get(name, _NOTHING), self._first_within_s(name, day))
                for name in profiles
            ],
        )

    def today(self, shop_id: ShopId) -> date:
        """Return the local day that the board of a shop shows now."""
        return self._directory.calendar(shop_id).day(self._clock.now_ms())

    async def snapshot(self, shop_id: ShopId) -> BoardPublished:
        """Return the board of a shop as of now, with everybody on it."""
        shop = self._directory.shop(shop_id)
        now_ms = self._clock.now_ms()
        day = shop.calendar.day(now_ms)
        profiles = tuple(name for name in shop.profiles if name in self._book.versions)
        async with self._db.read(shop_id) as session:
            today = await repository.today(
                session,
                shop_id,
                day=day,
                start_ms=shop.calendar.midnight(day),
                end_ms=shop.calendar.day_end(now_ms),
            )
            breach_ms = now_ms - self._breach_s(shop, now_ms) * 1000
            loads = await response.loads(session, shop_id, breach_before_ms=breach_ms)
            waits = await response.waits(session, shop_id, limit=WAITING_SHOWN)
            seats = await facts.seats(session, shop_id)
            totals = await repository.counters(session, shop_id, day=day, profiles=profiles)
            async for silent in response.unsettled(
                session,
                shop_id,
                nobody_waits=True,
                waiting_ends_ms=self._waiting_ends_ms(profiles, day),
            ):
                self._add_unsettled(totals, silent, day=day, profiles=profiles)
            caught_up = await repository.caught_up_ms(session)
        limits = {name: self._first_within_s(name, day) for name in profiles}
        rows = _Rows(today, loads, waits, seats, totals, limits)
        return self._lay_out(shop_id, rows, now_ms, caught_up=caught_up)

    def _add_unsettled(
        self,
        totals: dict[tuple[ProfileName, PersonId | None], Score],
        states: Iterable[tuple[bytes, int]],
        *,
        day: date,
        profiles: Sequence[ProfileName],
    ) -> None:
        """Add sessions that ended without a response, though nothing has settled them yet (H34)."""
        for state, log_ms in states:
            known = self._states.decode(state)
            over = self._response.shown(known.parts[0], known.standing, log_ms)
            for key, score in over.counters.items():
                if key.day == day and key.profile in profiles:
                    name = key.profile, key.agent_id
                    totals[name] = totals.get(name, _NOTHING) + score

    def _waiting_ends_ms(self, profiles: Sequence[ProfileName], day: date) -> int | None:
        """Return after how long a silence ends a session though its buyer waits; None: never."""
        ruling = (self._book.in_force(name, day) for name in profiles)
        readings = [profile.reading for profile in ruling if profile is not None]
        return min((one.gap_ms for one in readings if one.gap_while_waiting), default=None)

    def _first_within_s(self, name: ProfileName, day: date) -> int:
        ruling = self._book.in_force(name, day) or self._book.versions[name][0]
        return ruling.first_within_ms // 1000

    def _breach_s(self, shop: Shop, now_ms: int) -> int:
        day = shop.calendar.day(now_ms)
        found = (self._book.in_force(name, day) for name in shop.profiles)
        return next((profile.breach_s for profile in found if profile is not None), 180)

    def _lay_out(
        self, shop_id: ShopId, rows: "_Rows", now_ms: int, *, caught_up: int | None
    ) -> BoardPublished:
        delayed = 0 if caught_up is None else now_ms - caught_up
        as_of = now_ms if rows.today.as_of_ms is None else rows.today.as_of_ms
        oldest = min((w.since_ms for w in rows.waits), default=now_ms)
        return BoardPublished(
            id=self._ids.new(),
            time=self._clock.now(),
            shop_id=shop_id,
            as_of=_moment(as_of),
            delayed_ms=delayed if delayed > ON_TIME_MS else 0,
            messages=rows.today.messages,
            open_conversations=sum(load.open for load in rows.loads),
            waiting=sum(load.waiting for load in rows.loads),
            longest_wait_ms=max(0, now_ms - oldest),
            flags_agent=rows.today.flags_agent,
            flags_buyer=rows.today.flags_buyer,
            held=rows.today.held,
            figures=tuple(rows.figures(name, rows.total(name)) for name in rows.first_within_s),
            agents=tuple(self._tiles(rows, now_ms)),
            waiting_longest=tuple(
                WaitingBuyer(
                    conversation_id=wait.conversation_id,
                    agent_id=wait.agent_id,
                    waiting_since=_moment(wait.since_ms),
                )
                for wait in rows.waits
            ),
        )

    def _tiles(self, rows: "_Rows", now_ms: int) -> Iterable[AgentTile]:
        """Yield a tile for everybody who is on duty, owns a conversation or has figures today."""
        loads = {load.agent_id: load for load in rows.loads if load.agent_id is not None}
        seats = {seat.agent_id: seat for seat in rows.seats}
        measured = {agent for _, agent in rows.totals if agent is not None}
        on_duty = {
            seat.agent_id
            for seat in rows.seats
            if seat.state is not AgentState.OFFLINE and seat.role in CHATTING_STAFF
        }
        for agent_id in sorted(on_duty | measured | loads.keys()):
            load = loads.get(agent_id, Load(agent_id, 0, 0, None, 0))
            seat = seats.get(agent_id)
            since = load.oldest_wait_ms
            yield AgentTile(
                agent_id=agent_id,
                name=self._directory.name(agent_id) or (seat.name if seat else ""),
                state=seat.state if seat else AgentState.OFFLINE,
                open_conversations=load.open,
                longest_wait_ms=0 if since is None else max(0, now_ms - since),
                breaching=load.breaching,
                figures=tuple(
                    rows.figures(name, rows.totals.get((name, agent_id), _NOTHING))
                    for name in rows.first_within_s
                ),
            )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the tables say about a shop, from one snapshot."""

    today: Today
    loads: list[Load]
    waits: list[Wait]
    seats: list[Seat]
    totals: dict[tuple[ProfileName, PersonId | None], Score]
    first_within_s: dict[ProfileName, int]
    """By the profiles that are shown."""

    def total(self, profile: ProfileName) -> Score:
        """Return the shop's totals: the sum over agents and over what nobody owned."""
        mine = (score for (name, _), score in self.totals.items() if name == profile)
        return sum(mine, _NOTHING)

    def figures(self, profile: ProfileName, total: Score) -> ResponseFigures:
        """Return totals as the board shows them."""
        return _figures(profile, total, self.first_within_s[profile])


def _figures(profile: ProfileName, total: Score, first_within_s: int) -> ResponseFigures:
    return ResponseFigures(
        profile=profile,
        rounds=total.rounds,
        round_ms=total.round_ms,
        unanswered=total.unanswered,
        first_responses=total.first_responses,
        first_response_ms=total.first_response_ms,
        first_within_30s=total.first_within,
        sessions=total.sessions,
        first_within=total.first_within,
        first_within_s=first_within_s,
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
