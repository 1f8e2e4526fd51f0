"""Reads what a shop's board shows: rows of all partitions, summed (H20).

Must not know how a board is laid out or when it is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from kit.postgres import DirectConnection
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score


@dataclass(frozen=True, slots=True)
class Today:
    """Messages and flags of one day. `as_of_ms` None: nothing was folded that day."""

    messages: int
    flags_agent: int
    flags_buyer: int
    held: int
    as_of_ms: int | None


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


async def today(
    session: AsyncSession, shop_id: ShopId, *, day: date, start_ms: int, end_ms: int
) -> Today:
    """Return the traffic of a local day, of which the two moments are begin and end."""
    row = (await session.execute(_TODAY, {"shop": shop_id, "day": day})).one()
    messages, flags_agent, flags_buyer, as_of = row
    held = await session.execute(_HELD, {"shop": shop_id, "start": start_ms, "end": end_ms})
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
