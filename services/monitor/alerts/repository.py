"""Alerts of a shop from where each kind is stored, newest first, and what people made of them.

Must not know cursors, or who may see what.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.monitor import AlertKind, Verdict
from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.alerts.domain import (
    Acknowledged,
    AlertState,
    Judgement,
    Place,
    Subject,
    Told,
)
from services.monitor.alerts.models import AlertStateRow, JudgementRow


@dataclass(frozen=True, slots=True)
class Asked:
    """Which alerts: of which shop, since when, and in which state if that matters."""

    shop_id: ShopId
    since_ms: int
    state: AlertState | None = None


async def alerts(
    session: AsyncSession, query: Asked, *, after: Place | None, limit: int
) -> list[Told]:
    """Return at most `limit` alerts that stand behind `after`."""
    values = {
        "shop": query.shop_id,
        "since": query.since_ms,
        "state": None if query.state is None else query.state.value,
        "last_ms": _END_MS if after is None else after.at_ms,
        "last_id": "" if after is None else after.id,
        "limit": limit,
    }
    return [_told(row) for row in await session.execute(_ALERTS, values)]


async def subject(
    session: AsyncSession, shop_id: ShopId, alert_id: str, *, since_ms: int
) -> Subject | None:
    """Return what an alert of the shop is about; None: there is no such alert.

    One of a wait is looked for among the shop's since that moment: they have no index by their ids.
    """
    values = {"shop": shop_id, "id": alert_id, "since": since_ms}
    found = (await session.execute(_SUBJECT, values)).one_or_none()
    return None if found is None else _subject(found)


async def judge(session: AsyncSession, shop_id: ShopId, judged: Judgement) -> bool:
    """Store somebody's latest verdict; return False if it is the one that stands."""
    values = {
        "subject_id": judged.subject_id,
        "person_id": judged.person_id,
        "shop_id": shop_id,
        "name": judged.name,
        "verdict": judged.verdict.value,
        "note": judged.note,
        "judged_ms": judged.at_ms,
    }
    new = insert(JudgementRow).values(values)
    other = (JudgementRow.verdict != new.excluded.verdict) | (
        JudgementRow.note != new.excluded.note
    )
    changed = new.on_conflict_do_update(
        index_elements=[JudgementRow.subject_id, JudgementRow.person_id],
        set_={name: new.excluded[name] for name in ("name", "verdict", "note", "judged_ms")},
        where=other,
    ).returning(JudgementRow.subject_id)
    return (await session.execute(changed)).scalar() is not None


async def acknowledge(session: AsyncSession, shop_id: ShopId, done: Acknowledged) -> bool:
    """Store who took care of an alert; return False if somebody did before.

    Who does it in another transaction meanwhile is waited for.
    """
    values = {
        "alert_id": done.alert_id,
        "shop_id": shop_id,
        "person_id": done.person_id,
        "name": done.name,
        "verdict": done.verdict.value,
        "note": done.note,
        "acknowledged_ms": done.at_ms,
    }
    first = insert(AlertStateRow).values(values).on_conflict_do_nothing()
    stored = await session.execute(first.returning(AlertStateRow.alert_id))
    return stored.scalar() is not None


async def acknowledged(
    session: AsyncSession, shop_id: ShopId, alerts: Sequence[str]
) -> dict[str, Acknowledged]:
    """Return who took care of these alerts, by alert."""
    row = AlertStateRow
    found = await session.scalars(
        select(row).where(row.alert_id.in_(alerts), row.shop_id == shop_id)
    )
    return {
        one.alert_id: Acknowledged(
            one.alert_id,
            PersonId(one.person_id),
            one.name,
            Verdict(one.verdict),
            one.note,
            one.acknowledged_ms,
        )
        for one in found
    }


async def judgements(
    session: AsyncSession, shop_id: ShopId, subjects: Sequence[str]
) -> dict[str, list[Judgement]]:
    """Return what people made of these, by subject, the latest first."""
    row = JudgementRow
    found = await session.scalars(
        select(row).where(row.subject_id.in_(subjects), row.shop_id == shop_id)
    )
    by_subject: defaultdict[str, list[Judgement]] = defaultdict(list)
    for one in sorted(found, key=lambda one: one.judged_ms, reverse=True):
        by_subject[one.subject_id].append(
            Judgement(
                one.subject_id,
                PersonId(one.person_id),
                one.name,
                Verdict(one.verdict),
                one.note,
                one.judged_ms,
            )
        )
    return by_subject


def _subject(row: Any) -> Subject:
    person = None if row.person_id is None else PersonId(row.person_id)
    return Subject(
        row.id,
        AlertKind(row.kind),
        ShopId(row.shop_id),
        ConversationId(row.conversation_id),
        person,
        row.at_ms,
    )


def _told(row: Any) -> Told:
    return Told(
        _subject(row),
        row.speaker,
        row.action,
        row.threshold_s,
        tuple(row.categories),
        tuple(row.hits),
        row.words,
    )


_END_MS: Final = 1 << 62

_FLAG: Final = """
    select message_id as id, 'flag' as kind, shop_id, conversation_id, sender_id as person_id,
        at_ms, speaker, null as action, null::integer as threshold_s, categories, hits,
        null as words
    from flags"""
_INCIDENT: Final = """
    select incident_id as id, 'incident' as kind, shop_id, conversation_id,
        agent_id as person_id, held_ms as at_ms, null as speaker, action,
        null::integer as threshold_s, categories, hits, text as words
    from incidents"""
_WAIT: Final = """
    select alert_id as id, 'waiting' as kind, shop_id, conversation_id, agent_id as person_id,
        due_ms as at_ms, null as speaker, null as action, threshold_s, '{}'::text[] as categories,
        '[]'::jsonb as hits, null as words
    from firings"""


def _newest(kind: str, *, at: str, name: str) -> str:
    """Return the newest of one kind: an index is read from the place on, backwards."""
    return f"""
    ({kind} where shop_id = :shop and {at} >= :since and {name} is not null
        and ({at}, {name}) < (:last_ms, :last_id)
        and (cast(:state as text) is null or cast(:state as text) = coalesce(
            (select 'acknowledged' from alert_states s where s.alert_id = {name}), 'open'))
    order by {at} desc, {name} desc limit :limit)"""


_ALERTS: Final = text(
    " union all ".join(
        (
            _newest(_FLAG, at="at_ms", name="flags.message_id"),
            _newest(_INCIDENT, at="held_ms", name="incidents.incident_id"),
            _newest(_WAIT, at="due_ms", name="firings.alert_id"),
        )
    )
    + " order by at_ms desc, id desc limit :limit"
)
_SUBJECT: Final = text(
    f"{_FLAG} where message_id = :id and shop_id = :shop"
    f" union all {_INCIDENT} where incident_id = :id and shop_id = :shop"
    f" union all {_WAIT} where alert_id = :id and shop_id = :shop and due_ms >= :since"
)
