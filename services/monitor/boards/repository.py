"""Reads what a shop's board shows: rows of all partitions, summed (H20).

Must not know how a board is laid out or when it is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from kit.postgres import DirectConnection
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score


class Day(NamedTuple):
    """A shop's local day, its end excluded."""

    day: date
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Today:
    """Messages and flags of one day. `as_of_ms` None: nothing was folded that day."""

    messages: int
    flags_agent: int
    flags_buyer: int
    held: int
    as_of_ms: int | None


class Wrongs(NamedTuple):
    """How many messages of an agent broke a rule and were delivered, and how many were held."""

    flags: int
    held: int


NO_WRONGS: Final = Wrongs(0, 0)


async def wrongs(session: AsyncSession, shop_id: ShopId, of: Day) -> dict[PersonId, Wrongs]:
    """Return what agents said on a local day that broke a rule, by agent."""
    asked = {"shop": shop_id, "start": of.start_ms, "end": of.end_ms}
    rows = await session.execute(_WRONGS, asked)
    return {PersonId(agent): Wrongs(flags, held) for agent, flags, held in rows}


class KnownWrongs:
    """The last counts of each shop, which stand as long as its totals do.

    A board is laid out twice a second, and who said what has to be counted from the rows.
    """

    def __init__(self) -> None:
        self._known: dict[ShopId, tuple[tuple[Day, int, int], Mapping[PersonId, Wrongs]]] = {}

    async def of(
        self, session: AsyncSession, shop_id: ShopId, day: Day, today: Today
    ) -> Mapping[PersonId, Wrongs]:
        """Return a day's counts by agent; nothing is read where nobody did anything wrong."""
        if today.flags_agent == 0 and today.held == 0:
            self._known.pop(shop_id, None)
            return {}
        state = day, today.flags_agent, today.held
        known = self._known.get(shop_id)
        if known is None or known[0] != state:
            known = self._known[shop_id] = state, await wrongs(session, shop_id, day)
        return known[1]


async def revisions(connection: DirectConnection, since: date) -> Mapping[ShopId, int]:
    """Return a number per shop that is another one whenever its board may have changed."""
    rows = await connection.fetch(_REVISIONS, since)
    return {ShopId(shop): int(number) for shop, number in rows}


async def folded_through(connection: DirectConnection) -> int | None:
    """Return the moment up to which every partition is folded; None before the first fold."""
    found = await connection.fetchval(_CAUGHT_UP.text)
    return None if found is None else int(found)


async def caught_up_ms(session: AsyncSession) -> int | None:
    """Return the moment up to which every partition is folded; None before the first fold."""
    found = (await session.execute(_CAUGHT_UP)).scalar()
    return None if found is None else int(found)


async def today(session: AsyncSession, shop_id: ShopId, of: Day) -> Today:
    """Return the traffic of a local day."""
    row = (await session.execute(_TODAY, {"shop": shop_id, "day": of.day})).one()
    messages, flags_agent, flags_buyer, as_of = row
    asked = {"shop": shop_id, "start": of.start_ms, "end": of.end_ms}
    held = await session.execute(_HELD, asked)
    return Today(int(messages), int(flags_agent), int(flags_buyer), int(held.scalar() or 0), as_of)


async def counters(
    session: AsyncSession, shop_id: ShopId, *, day: date, profiles: Sequence[ProfileName]
) -> dict[tuple[ProfileName, PersonId | None], Score]:
    """Return the totals of a day by profile and agent, summed over partitions."""
    rows = await session.execute(
        _COUNTERS, {"shop": shop_id, "day": day, "profiles": list(profiles)}
    )
    return {
        (ProfileName(profile), PersonId(agent) if agent else None): Score(*sums)
        for profile, agent, *sums in rows
    }


async def own_counters(
    session: AsyncSession,
    shop_id: ShopId,
    agent_id: PersonId,
    *,
    day: date,
    profiles: Sequence[ProfileName],
) -> dict[ProfileName, Score]:
    """Return an agent's totals of a day by profile, summed over partitions."""
    rows = await session.execute(
        _OWN, {"shop": shop_id, "agent": agent_id, "day": day, "profiles": list(profiles)}
    )
    return {ProfileName(profile): Score(*sums) for profile, *sums in rows}


_REVISIONS: Final = """
    select shop_id, sum(revision) from (
        select shop_id, sum(revision) as revision from traffic where day >= $1::date group by 1
        union all
        select shop_id, sum(version) from agents group by 1
        union all
        select shop_id, count(*) from incidents
        where held_ms >= cast(extract(epoch from $1::date) * 1000 as bigint)
        group by 1
    ) as parts group by 1
"""
_CAUGHT_UP: Final = text("select min(caught_up_ms) from partitions where caught_up_ms > 0")
_TODAY: Final = text(
    """
    select coalesce(sum(buyer_messages + agent_messages + other_messages), 0),
        coalesce(sum(flags_agent), 0), coalesce(sum(flags_buyer), 0), max(as_of_ms)
    from traffic where shop_id = :shop and day = :day
    """
)
_HELD: Final = text(
    "select count(*) from incidents where shop_id = :shop and held_ms >= :start and held_ms < :end"
)
_WRONGS: Final = text(
    """
    select agent, count(*) filter (where not held), count(*) filter (where held) from (
        select sender_id as agent, false as held from flags
        where shop_id = :shop and at_ms >= :start and at_ms < :end and speaker = 'agent'
        union all
        select agent_id, true from incidents
        where shop_id = :shop and held_ms >= :start and held_ms < :end
    ) as said group by agent
    """
)
_SUMS: Final = ", ".join(f"cast(sum({name}) as bigint)" for name in Score.__struct_fields__)
_COUNTERS: Final = text(
    f"""
    select profile, agent_id, {_SUMS} from counters
    where shop_id = :shop and day = :day and profile = any(cast(:profiles as text[]))
    group by profile, agent_id
    """
)
"""Cast, for PostgreSQL sums bigints up as numerics: the board of 200 agents decodes 5,400 sums."""

_OWN: Final = text(
    f"""
    select profile, {_SUMS} from counters
    where shop_id = :shop and day = :day and agent_id = :agent
        and profile = any(cast(:profiles as text[]))
    group by profile
    """
)
