"""Builds a shop's board (H20). Knows what it shows; must not know who looks at it, or when."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from contracts.monitor import BoardPublished
from contracts.people import PersonId, ShopId
from kit.clock import Clock
from kit.ids import Ids
from kit.postgres import Database
from services.monitor.boards import repository
from services.monitor.boards.domain import pushed
from services.monitor.boards.layout import (
    NOTHING,
    Envelope,
    Look,
    Rows,
    agent_of,
    response_figures,
)
from services.monitor.boards.repository import Day, KnownWrongs
from services.monitor.boards.schemas import Board, OwnDay, WholeBoard
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Shop
from services.monitor.facts import repository as facts
from services.monitor.fold.states import States
from services.monitor.profiles.domain import ProfileName
from services.monitor.response import repository as response
from services.monitor.response.domain import Score
from services.monitor.response.measure import Response

WAITING_SHOWN: Final = 20
"""Longest waits on a board; the whole list is at `GET /v1/monitor/waiting`."""

NO_LEVELS: Final = 0, 0, 0


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
        self._wrongs = KnownWrongs()

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
                response_figures(name, totals.get(name, NOTHING), self._first_within_s(name, day))
                for name in profiles
            ],
        )

    def today(self, shop_id: ShopId) -> date:
        """Return the local day that the board of a shop shows now."""
        return self._directory.calendar(shop_id).day(self._clock.now_ms())

    async def snapshot(self, shop_id: ShopId) -> BoardPublished:
        """Return the board of a shop as of now, with everybody on it."""
        return (await self.look(shop_id)).board(self._envelope())

    async def whole(self, shop_id: ShopId) -> WholeBoard:
        """Return the board of a shop as of now as totals and all tiles."""
        look, told = await self.look(shop_id), self._envelope()
        tiles = look.tiles()
        agents = [agent_of(shop_id, tile, told) for tile in tiles]
        return WholeBoard(totals=look.totals(tiles, told), agents=agents)

    async def look(self, shop_id: ShopId) -> Look:
        """Read what the board of a shop shows as of now."""
        shop = self._directory.shop(shop_id)
        now_ms = self._clock.now_ms()
        day = shop.calendar.day(now_ms)
        profiles = tuple(name for name in shop.profiles if name in self._book.versions)
        levels_s = self._levels_s(shop, day)
        async with self._db.read(shop_id) as session:
            of_day = Day(day, shop.calendar.midnight(day), shop.calendar.day_end(now_ms))
            today = await repository.today(session, shop_id, of_day)
            loads = await response.loads(
                session,
                shop_id,
                breach_before_ms=now_ms - self._breach_s(shop, now_ms) * 1000,
                levels_before_ms=[now_ms - level_s * 1000 for level_s in levels_s or NO_LEVELS],
            )
            wrongs = await self._wrongs.of(session, shop_id, of_day, today)
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
        rows = Rows(today, loads, waits, seats, totals, limits, caught_up, wrongs, bool(levels_s))
        staff = self._directory.staff(shop_id)
        return Look(shop_id, rows, now_ms, staff, self._directory.person)

    def _envelope(self) -> Envelope:
        return Envelope(self._ids.new(), self._clock.now())

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
                    totals[name] = totals.get(name, NOTHING) + score

    def _waiting_ends_ms(self, profiles: Sequence[ProfileName], day: date) -> int | None:
        """Return after how long a silence ends a session though its buyer waits; None: never."""
        ruling = (self._book.in_force(name, day) for name in profiles)
        readings = [profile.reading for profile in ruling if profile is not None]
        return min((one.gap_ms for one in readings if one.gap_while_waiting), default=None)

    def _first_within_s(self, name: ProfileName, day: date) -> int:
        ruling = self._book.in_force(name, day) or self._book.versions[name][0]
        return ruling.first_within_ms // 1000

    def _levels_s(self, shop: Shop, day: date) -> Sequence[int] | None:
        """Return the levels that screens go by, of later replies: it is not told whose is first."""
        ruling = (self._book.in_force(name, day) for name in shop.profiles)
        return next((one.levels.later for one in ruling if one and one.levels), None)

    def _breach_s(self, shop: Shop, now_ms: int) -> int:
        day = shop.calendar.day(now_ms)
        found = (self._book.in_force(name, day) for name in shop.profiles)
        return next((profile.breach_s for profile in found if profile is not None), 180)
