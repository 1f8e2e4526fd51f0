"""Lays a shop's board out: whole, or as totals and tiles. Must not know tables or who looks."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from contracts.monitor import (
    AgentTile,
    BoardAgent,
    BoardPublished,
    BoardTotals,
    ResponseFigures,
    Sums,
    WaitingBuyer,
)
from contracts.people import CHATTING_STAFF, AgentState, PersonId, ShopId
from services.monitor.boards.repository import NO_WRONGS, Today, Wrongs
from services.monitor.boards.tiles import Tile
from services.monitor.directory.shops import Person
from services.monitor.facts.repository import Seat
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score
from services.monitor.response.repository import Load, Wait

ON_TIME_MS: Final = 2_000
"""Folded through a moment so lately: not delayed. It is noted once a second (H31)."""

NOTHING: Final = Score()


class Envelope(NamedTuple):
    """What an event is told by."""

    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Rows:
    """What the tables say about a shop, from one snapshot."""

    today: Today
    loads: list[Load]
    waits: list[Wait]
    seats: list[Seat]
    totals: dict[tuple[ProfileName, PersonId | None], Score]
    first_within_s: dict[ProfileName, int]
    """By the profiles that are shown."""
    caught_up_ms: int | None
    wrongs: Mapping[PersonId, Wrongs] = field(default_factory=dict)
    has_levels: bool = False

    def total(self, profile: ProfileName) -> Score:
        """Return the shop's totals: the sum over agents and over what nobody owned."""
        mine = (score for (name, _), score in self.totals.items() if name == profile)
        return sum(mine, NOTHING)


@dataclass(frozen=True, slots=True)
class Look:
    """A shop's board at one moment."""

    shop_id: ShopId
    rows: Rows
    now_ms: int
    staff: AbstractSet[PersonId]
    """Everybody active who may hold a conversation, whether something is known of him or not."""
    person: Callable[[PersonId], Person]

    @property
    def is_moving(self) -> bool:
        """Tell whether time alone changes it: somebody waits, or it is delayed."""
        return self._waiting > 0 or self._delayed_ms > 0

    def board(self, told: Envelope) -> BoardPublished:
        """Return all of it, with everybody who is on duty, has a conversation or figures today."""
        rows, oldest = self.rows, self._oldest_ms
        return BoardPublished(
            id=told.id,
            time=told.time,
            shop_id=self.shop_id,
            as_of=self._as_of,
            delayed_ms=self._delayed_ms,
            messages=rows.today.messages,
            open_conversations=sum(load.open for load in rows.loads),
            waiting=self._waiting,
            longest_wait_ms=0 if oldest is None else max(0, self.now_ms - oldest),
            flags_agent=rows.today.flags_agent,
            flags_buyer=rows.today.flags_buyer,
            held=rows.today.held,
            figures=tuple(
                response_figures(name, rows.total(name), within_s)
                for name, within_s in rows.first_within_s.items()
            ),
            agents=tuple(self._agent(tile) for tile in self._tiles(self._at_work)),
            waiting_longest=self._waiting_longest,
        )

    def totals(self, tiles: Sequence[Tile], told: Envelope) -> BoardTotals:
        """Return all of it but the agents, of whom these are the tiles."""
        rows, oldest = self.rows, self._oldest_ms
        nobodys = next((load for load in rows.loads if load.agent_id is None), None)
        return BoardTotals(
            id=told.id,
            time=told.time,
            shop_id=self.shop_id,
            as_of=self._as_of,
            delayed_ms=self._delayed_ms,
            messages=rows.today.messages,
            open_conversations=sum(load.open for load in rows.loads),
            waiting=self._waiting,
            waiting_since=None if oldest is None else moment(oldest),
            queued=0 if nobodys is None else nobodys.waiting,
            breaching=sum(load.breaching for load in rows.loads),
            flags_agent=rows.today.flags_agent,
            flags_buyer=rows.today.flags_buyer,
            held=rows.today.held,
            states=dict(Counter(tile.state for tile in tiles)),
            figures={
                name: _sums(rows.total(name), within_s)
                for name, within_s in rows.first_within_s.items()
            },
            waiting_longest=self._waiting_longest,
            capacity=_capacity(tiles),
            levels=self._levels,
        )

    def tiles(self) -> list[Tile]:
        """Return everybody's tile: of who is at work, and of all active staff who may be."""
        return list(self._tiles(self._shown))

    @property
    def _waiting(self) -> int:
        return sum(load.waiting for load in self.rows.loads)

    @property
    def _delayed_ms(self) -> int:
        caught_up = self.rows.caught_up_ms
        delayed = 0 if caught_up is None else self.now_ms - caught_up
        return delayed if delayed > ON_TIME_MS else 0

    @property
    def _as_of(self) -> datetime:
        as_of = self.rows.today.as_of_ms
        return moment(self.now_ms if as_of is None else as_of)

    @property
    def _oldest_ms(self) -> int | None:
        return min((wait.since_ms for wait in self.rows.waits), default=None)

    @property
    def _levels(self) -> tuple[int, int, int] | None:
        if not self.rows.has_levels:
            return None
        loads = self.rows.loads
        return (
            sum(load.noticed for load in loads),
            sum(load.warned for load in loads),
            sum(load.over for load in loads),
        )

    @property
    def _waiting_longest(self) -> tuple[WaitingBuyer, ...]:
        return tuple(
            WaitingBuyer(
                conversation_id=wait.conversation_id,
                agent_id=wait.agent_id,
                waiting_since=moment(wait.since_ms),
            )
            for wait in self.rows.waits
        )

    @property
    def _at_work(self) -> set[PersonId]:
        rows = self.rows
        owners = {load.agent_id for load in rows.loads if load.agent_id is not None}
        measured = {agent for _, agent in rows.totals if agent is not None}
        on_duty = {
            seat.agent_id
            for seat in rows.seats
            if seat.state is not AgentState.OFFLINE and seat.role in CHATTING_STAFF
        }
        return on_duty | measured | owners

    @property
    def _shown(self) -> AbstractSet[PersonId]:
        return self.staff | self._at_work

    def _tiles(self, agents: Iterable[PersonId]) -> Iterator[Tile]:
        rows = self.rows
        loads = {load.agent_id: load for load in rows.loads}
        seats = {seat.agent_id: seat for seat in rows.seats}
        for agent_id in sorted(agents):
            load = loads.get(agent_id) or Load(agent_id, 0, 0, None, 0)
            seat = seats.get(agent_id)
            person = self.person(agent_id)
            wrongs = rows.wrongs.get(agent_id, NO_WRONGS)
            yield Tile(
                agent_id=agent_id,
                name=person.name or (seat.name if seat else ""),
                state=seat.state if seat else AgentState.OFFLINE,
                since_ms=seat.since_ms if seat else None,
                open=load.open,
                waiting=load.waiting,
                waiting_ms=load.oldest_wait_ms,
                breaching=load.breaching,
                figures=tuple(
                    (name, rows.totals.get((name, agent_id), NOTHING), within_s)
                    for name, within_s in rows.first_within_s.items()
                ),
                flags=wrongs.flags,
                held=wrongs.held,
                capacity=person.capacity,
                groups=person.groups,
            )

    def _agent(self, tile: Tile) -> AgentTile:
        since = tile.waiting_ms
        return AgentTile(
            agent_id=tile.agent_id,
            name=tile.name,
            state=tile.state,
            open_conversations=tile.open,
            longest_wait_ms=0 if since is None else max(0, self.now_ms - since),
            breaching=tile.breaching,
            figures=tuple(response_figures(*figures) for figures in tile.figures),
        )


def agent_of(shop_id: ShopId, tile: Tile, told: Envelope) -> BoardAgent:
    """Return a tile as it is told."""
    return BoardAgent(
        id=told.id,
        time=told.time,
        shop_id=shop_id,
        agent_id=tile.agent_id,
        name=tile.name,
        state=tile.state,
        since=None if tile.since_ms is None else moment(tile.since_ms),
        open_conversations=tile.open,
        waiting=tile.waiting,
        waiting_since=None if tile.waiting_ms is None else moment(tile.waiting_ms),
        breaching=tile.breaching,
        figures={name: _sums(score, within_s) for name, score, within_s in tile.figures},
        removed=tile.removed,
        capacity=tile.capacity,
        groups=tile.groups,
        flags=tile.flags,
        held=tile.held,
    )


def _capacity(tiles: Iterable[Tile]) -> int | None:
    """Return how many buyers those may have at once who are not offline; None: not of all told."""
    told = [tile.capacity for tile in tiles if tile.state is not AgentState.OFFLINE]
    known = [one for one in told if one is not None]
    return sum(known) if len(known) == len(told) else None


def response_figures(profile: ProfileName, total: Score, first_within_s: int) -> ResponseFigures:
    """Return totals as the whole board shows them."""
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


def _sums(total: Score, first_within_s: int) -> Sums:
    return (
        total.rounds,
        total.round_ms,
        total.unanswered,
        total.first_responses,
        total.first_response_ms,
        total.sessions,
        total.first_within,
        first_within_s,
    )


def moment(at_ms: int) -> datetime:
    """Return a moment of the log as events tell it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
