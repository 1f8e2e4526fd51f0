"""Reads flags of reception with what people made of them. Must not know cursors."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.monitor import ReceptionVerdict
from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.findings.domain import Finding, FindingBy, Judgement, Place, Sums


@dataclass(frozen=True, slots=True)
class Asked:
    """Which flags of a shop: `[start_ms, end_ms)`, through now; of a rule and an agent, if any."""

    shop_id: ShopId
    start_ms: int
    end_ms: int
    now_ms: int
    rule: str | None = None
    agent_id: PersonId | None = None
    days: Sequence[int] = ()

    @property
    def values(self) -> dict[str, Any]:
        """As statements take it."""
        return {
            "shop": self.shop_id,
            "start": self.start_ms,
            "end": self.end_ms,
            "now": self.now_ms,
            "rule": self.rule,
            "agent": self.agent_id,
        }


async def page(
    session: AsyncSession, query: Asked, *, after: Place | None, limit: int
) -> list[Finding]:
    """Return at most `limit` flags older than `after`, newest first."""
    last = {
        "last_ms": _END_MS if after is None else after.at_ms,
        "last_id": "" if after is None else after.id,
        "limit": limit,
    }
    statement = _PAGE[query.agent_id is not None]
    return [_finding(row) for row in await session.execute(statement, query.values | last)]


async def one(session: AsyncSession, shop_id: ShopId, flag: str) -> Finding | None:
    """Return a flag of a shop."""
    row = (await session.execute(_ONE, {"shop": shop_id, "id": flag})).one_or_none()
    return None if row is None else _finding(row)


async def sums(session: AsyncSession, query: Asked, *, by: FindingBy | None) -> dict[Any, Sums]:
    """Return counts by rule, agent or number of the day from 1; all under None without `by`."""
    rows = await session.execute(_BY[by], query.values | {"days": list(query.days)})
    return {key: Sums(*map(int, numbers)) for key, *numbers in rows}


async def untold(session: AsyncSession, *, now_ms: int, since_ms: int, limit: int) -> list[Finding]:
    """Take what nobody was told of yet, or is worse than was told; another monitor's is left."""
    asked = {"now": now_ms, "since": since_ms, "limit": limit}
    return [_finding(row) for row in await session.execute(_TELL, asked)]


async def judge(session: AsyncSession, shop_id: ShopId, judged: Judgement) -> bool:
    """Store somebody's latest verdict; return False if it is the one that stands."""
    values = judged._asdict() | {"shop": shop_id, "verdict": judged.verdict.value}
    return (await session.execute(_JUDGE, values)).scalar() is not None


async def judgements(
    session: AsyncSession, shop_id: ShopId, flags: Sequence[str]
) -> dict[str, list[Judgement]]:
    """Return what people made of these, by flag, the latest first."""
    by_flag: defaultdict[str, list[Judgement]] = defaultdict(list)
    for row in await session.execute(_JUDGEMENTS, {"shop": shop_id, "flags": list(flags)}):
        flag, person, name, verdict, note, at_ms = row
        judged = Judgement(
            flag, PersonId(person), name, ReceptionVerdict(verdict), note, int(at_ms)
        )
        by_flag[flag].append(judged)
    return by_flag


def _finding(row: Any) -> Finding:
    return Finding(
        row.flag_id,
        row.generation,
        tuple(row.offsets),
        row.rule,
        ShopId(row.shop_id),
        ConversationId(row.conversation_id),
        PersonId(row.agent_id),
        row.at_ms,
        row.severity,
        row.times,
        row.seconds,
    )


_END_MS: Final = 1 << 62

_FLAG: Final = """
    flag_id, generation, offsets, rule, shop_id, conversation_id, agent_id, at_ms, severity, times,
    seconds
"""
_COUNTS: Final = "times > 0 and not excused"

_STRETCH: Final = f"""
    shop_id = :shop and at_ms >= :start and at_ms < :end and due_ms <= :now and {_COUNTS}
        and (cast(:rule as text) is null or rule = :rule)
"""
_PAGE: Final = {
    of_agent: text(
        f"""
        select {_FLAG} from reception
        where {_STRETCH} {"and agent_id = :agent" if of_agent else ""}
            and (at_ms, flag_id) < (:last_ms, :last_id)
        order by at_ms desc, flag_id desc limit :limit
        """
    )
    for of_agent in (False, True)
}
_ONE: Final = text(
    f"select {_FLAG} from reception where flag_id = :id and shop_id = :shop and {_COUNTS}"
)
_TELL: Final = text(
    f"""
    update reception set told_severity = severity
    where flag_id in (
        select flag_id from reception
        where told_severity < severity and {_COUNTS} and due_ms <= :now and due_ms >= :since
        order by due_ms limit :limit for update skip locked
    )
    returning {_FLAG}
    """
)
_JUDGE: Final = text(
    """
    insert into judgements (subject_id, person_id, shop_id, name, verdict, note, judged_ms)
    values (:flag_id, :person_id, :shop, :name, :verdict, :note, :at_ms)
    on conflict (subject_id, person_id) do update set
        name = excluded.name, verdict = excluded.verdict, note = excluded.note,
        judged_ms = excluded.judged_ms
    where (judgements.verdict, judgements.note) <> (excluded.verdict, excluded.note)
    returning subject_id
    """
)
_JUDGEMENTS: Final = text(
    """
    select subject_id, person_id, name, verdict, note, judged_ms from judgements
    where subject_id = any(cast(:flags as text[])) and shop_id = :shop
    order by judged_ms desc
    """
)
# Whoever judges another's flag is a leader; what the agent himself says is shown, and counts not.
_JUDGED: Final = f"""
    with flagged as (
        select rule, agent_id, at_ms, severity, times, judged, coalesce(not_bad, false) as not_bad
        from reception left join lateral (
            select true as judged, bool_or(verdict = 'not_bad') as not_bad from judgements
            where subject_id = flag_id and person_id <> agent_id having count(*) > 0
        ) said on true
        where {_STRETCH}
    )
"""
_LEFT: Final = "filter (where not not_bad)"
_SUMS: Final = f"""
    count(*) {_LEFT}, count(*) filter (where not not_bad and severity = 1),
    count(*) filter (where not not_bad and severity = 2),
    count(*) filter (where not not_bad and severity >= 3), coalesce(sum(times) {_LEFT}, 0),
    count(judged), count(*) filter (where not_bad)
"""
_BY: Final = {
    None: text(f"{_JUDGED} select cast(null as text), {_SUMS} from flagged"),
    FindingBy.RULE: text(f"{_JUDGED} select rule, {_SUMS} from flagged group by 1"),
    FindingBy.AGENT: text(f"{_JUDGED} select agent_id, {_SUMS} from flagged group by 1"),
    FindingBy.DAY: text(
        f"{_JUDGED} select width_bucket(at_ms, cast(:days as bigint[])), {_SUMS}"
        " from flagged group by 1"
    ),
}
