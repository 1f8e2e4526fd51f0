"""Counts those who asked and what was said. Must not know who wants to know."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, ShopId
from profiles import Filters
from services.monitor.inquiries import statements as sql
from services.monitor.inquiries.domain import (
    REASONS,
    InquiriesBy,
    OpenRound,
    OpenSession,
    People,
    Slowness,
    Stopped,
)
from services.monitor.profiles.domain import ProfileName, ReadingKey


@dataclass(frozen=True, slots=True)
class Asked:
    """A stretch `[start_ms, end_ms)` of a shop, of one agent or of all; `days` begin its days."""

    shop_id: ShopId
    start_ms: int
    end_ms: int
    days: Sequence[int]
    by: InquiriesBy
    agent_id: PersonId | None = None

    @property
    def values(self) -> dict[str, Any]:
        """What all statements are told."""
        return {
            "shop": self.shop_id,
            "start": self.start_ms,
            "end": self.end_ms,
            "agent": self.agent_id,
        }


@dataclass(frozen=True, slots=True)
class Filtering:
    """Whom a profile counts apart, and by which readings that is seen."""

    filters: Filters
    staff: Collection[PersonId]
    human: ReadingKey
    with_bots: Sequence[ReadingKey]


async def people(
    session: AsyncSession, query: Asked, by: Filtering, *, still_open: Sequence[OpenSession]
) -> dict[Any, People]:
    """Return those who asked, by agent, day, or under None."""
    told = query.values | {
        "ids": sorted(by.filters.ids),
        "staff": sorted(by.staff) if by.filters.own_staff else [],
        "leave_message": by.filters.leave_message,
        "bot_only": by.filters.bot_only,
        "human": by.human,
        "with_bots": list(by.with_bots),
        "open_days": [one.day for one in still_open],
        "open_buyers": [one.buyer_id for one in still_open],
        "open_unstaffed": [one.unstaffed for one in still_open],
    }
    found: dict[Any, People] = {}
    for key, consulted, *sums in await session.execute(sql.PEOPLE[query.by], told):
        filtered, words = sums[: len(REASONS)], sums[len(REASONS) :]
        found[key] = People(int(consulted), tuple(map(int, filtered)), *map(int, words))
    return found


async def agent_words(session: AsyncSession, query: Asked) -> dict[Any, int]:
    """Return how much staff said, whoever had the buyer."""
    rows = await session.execute(sql.WORDS[query.by], query.values)
    return {key: int(number) for key, number in rows}


async def most_at_once(session: AsyncSession, query: Asked) -> dict[Any, int]:
    """Return the most buyers that one agent had at a moment."""
    rows = await session.execute(sql.MOST[query.by], query.values)
    return {key: int(number) for key, number in rows}


async def slowness(
    session: AsyncSession,
    query: Asked,
    still_open: Sequence[OpenRound],
    *,
    profile: ProfileName,
    times: int,
) -> dict[Any, Slowness]:
    """Return to how many buyers of a day agents were slow so many times."""
    told = query.values | {
        "profile": profile,
        "times": times,
        "open_agents": [one.agent_id for one in still_open],
        "open_buyers": [one.buyer_id for one in still_open],
        "open_days": [one.day for one in still_open],
        "open_slow": [one.slow for one in still_open],
    }
    rows = await session.execute(sql.SLOW[query.by], told)
    return {key: Slowness(int(slow), int(number)) for key, slow, number in rows}


async def stopped(session: AsyncSession, query: Asked) -> dict[Any, Stopped]:
    """Return messages that broke a rule, by agent, number of the day from 1, or under None."""
    rows = await session.execute(sql.STOPPED[query.by], query.values | {"days": list(query.days)})
    return {key: Stopped(*map(int, sums)) for key, *sums in rows}


class Kind(NamedTuple):
    """What a rule of wording is about, and how grave it is to break it."""

    category: str
    severity: str


async def kinds(session: AsyncSession, query: Asked) -> dict[Kind, Stopped]:
    """Return the same by category and severity; a message of two counts in both."""
    rows = await session.execute(sql.KINDS, query.values)
    return {
        Kind(category, severity or ""): Stopped(*map(int, sums))
        for category, severity, *sums in rows
    }


async def through_ms(session: AsyncSession) -> int:
    """Return the moment through which the log is folded in all partitions."""
    return int((await session.execute(sql.TOLD)).scalar() or 0)
