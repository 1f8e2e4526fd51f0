"""What routing changes and leaves behind: work items, decisions, who was given something.

Knows no rule.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, delete, select, text, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import AgentState, OrderId, PersonId, ShopId, SkillGroupId, WorkId
from kit.ids import uuid7_floor
from services.conversation.routing.assignment import Candidate, Decision
from services.conversation.routing.domain import WorkItem
from services.conversation.routing.models import DecisionRow, WorkItemRow
from services.conversation.staff.domain import AtWork
from services.conversation.tables import table_of

_DECISIONS: Final = table_of(DecisionRow)
_WORK_ITEMS: Final = table_of(WorkItemRow)

_RECORD: Final = text(
    """
    with given as (
        update staff set last_assigned_at = :at where id = any(cast(:agents as uuid[]))
    )
    insert into decisions
        (id, shop_id, subject_kind, subject_id, at, trigger, reason, agent_id, candidates)
    select id, :shop, kind, subject, :at, trigger, reason, agent, candidates
    from unnest(
        cast(:ids as uuid[]), cast(:kinds as text[]), cast(:subjects as uuid[]),
        cast(:triggers as text[]), cast(:reasons as text[]), cast(:agents as uuid[]),
        cast(:candidates as jsonb[])
    ) as made (id, kind, subject, trigger, reason, agent, candidates)
    """
)
_OWNED: Final = text(
    """
    select id from conversations
    where shop_id = :shop and agent_id = any(cast(:agents as uuid[])) and state = 'assigned'
        and (:taken or taken_version is distinct from assignment_version)
    """
)

_TAKEN: Final = text(
    """
    select id, agent_id from conversations
    where shop_id = :shop and agent_id = any(cast(:agents as uuid[]))
        and taken_version = assignment_version and state = 'assigned'
    """
)

_TAKERS: Final = text(
    """
    select s.id::text, s.shop_id, s.state, s.resume_state from (
        select distinct agent_id from conversations
        where taken_version = assignment_version and state = 'assigned'
    ) t join staff s on s.id = t.agent_id
    """
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What decisions of one go have in common; `work` names those about work items.

    `triggers` says of those who joined the queue with the go what brought each there.
    """

    shop_id: ShopId
    trigger: str
    work: frozenset[str] = frozenset()
    triggers: Mapping[str, str] = field(default_factory=dict)


async def record(
    session: AsyncSession, kept: Kept, made: Sequence[tuple[str, Decision]], *, at: datetime
) -> None:
    """Keep decisions, each under its id, with their reasons and candidates (C1).

    Whoever was chosen has just been given something.
    """
    if not made:
        return
    decisions = [decision for _, decision in made]
    subjects = [one.waiting_id for one in decisions]
    await session.execute(
        _RECORD,
        {
            "shop": kept.shop_id,
            "at": at,
            "ids": [decision_id for decision_id, _ in made],
            "kinds": ["work" if one in kept.work else "conversation" for one in subjects],
            "subjects": subjects,
            "triggers": [kept.triggers.get(one, kept.trigger) for one in subjects],
            "reasons": [one.reason for one in decisions],
            "agents": [one.agent_id for one in decisions],
            "candidates": [json.dumps([*map(_shown, one.candidates)]) for one in decisions],
        },
    )


async def decisions_on(session: AsyncSession, subject_id: str, limit: int) -> list[Row[Any]]:
    """Return the latest decisions on a conversation or work item."""
    wanted = select(_DECISIONS).where(_DECISIONS.c.subject_id == subject_id)
    rows = await session.execute(wanted.order_by(_DECISIONS.c.at.desc()).limit(limit))
    return list(rows)


async def forget_decisions(session: AsyncSession, before: datetime, *, limit: int) -> int:
    """Delete at most `limit` decisions taken before that moment, oldest first; return how many.

    Their ids say when, so the primary key finds them: no decision pays for an index of its own.
    """
    ids = _DECISIONS.c.id
    old = select(ids).where(ids < uuid7_floor(before)).order_by(ids).limit(limit)
    gone = delete(_DECISIONS).where(ids.in_(old.with_for_update(skip_locked=True)))
    return len((await session.execute(gone.returning(ids))).all())


async def owned_by(
    session: AsyncSession, shop_id: ShopId, agent_ids: Sequence[PersonId], *, taken: bool
) -> list[str]:
    """Return the conversations that these agents have, in the order of their ids.

    With `taken` those too that they took off duty.
    """
    asked = {"shop": shop_id, "agents": list(agent_ids), "taken": taken}
    rows = await session.execute(_OWNED, asked)
    return sorted(str(row.id) for row in rows)


async def taken_by(
    session: AsyncSession, shop_id: ShopId, agent_ids: Sequence[PersonId]
) -> list[str]:
    """Return what these people took off duty, in the order of its ids."""
    rows = await session.execute(_TAKEN, {"shop": shop_id, "agents": list(agent_ids)})
    return sorted(str(row.id) for row in rows)


async def takers_of(
    session: AsyncSession, shop_id: ShopId, people: Sequence[PersonId]
) -> set[PersonId]:
    """Return which of these people have something that they took off duty."""
    rows = await session.execute(_TAKEN, {"shop": shop_id, "agents": list(people)})
    return {PersonId(str(row.agent_id)) for row in rows}


async def takers(session: AsyncSession) -> list[AtWork]:
    """Return who has something that he took off duty, in any shop."""
    return [
        AtWork(
            PersonId(row.id),
            ShopId(row.shop_id),
            AgentState(row.state),
            None if row.resume_state is None else AgentState(row.resume_state),
            took=True,
        )
        for row in await session.execute(_TAKERS)
    ]


async def lock_work(session: AsyncSession, ids: Sequence[str]) -> list[WorkItem]:
    """Return work items that nobody else changes until this transaction ends, by their ids."""
    if not ids:
        return []
    return await _locked(session, _WORK_ITEMS.c.id.in_(ids))


async def lock_work_of(
    session: AsyncSession, shop_id: ShopId, agent_ids: Sequence[PersonId]
) -> list[WorkItem]:
    """Return the unsettled work that these people hold, alone or with another, locked likewise."""
    if not agent_ids:
        return []
    held = [
        select(_WORK_ITEMS.c.id).where(
            _WORK_ITEMS.c.shop_id == shop_id, holder.in_(agent_ids), ~_WORK_ITEMS.c.settled
        )
        for holder in (_WORK_ITEMS.c.agent_id, _WORK_ITEMS.c.senior_id)
    ]
    return await _locked(session, _WORK_ITEMS.c.id.in_(union_all(*held)))


async def save_work(session: AsyncSession, *items: WorkItem) -> None:
    """Insert or write back work items, in one round trip."""
    if items:
        rows = [asdict(item) for item in items]
        made = insert(_WORK_ITEMS)
        changed = {name: made.excluded[name] for name in rows[0] if name != "id"}
        kept = made.on_conflict_do_update(index_elements=[_WORK_ITEMS.c.id], set_=changed)
        await session.execute(kept, rows)


async def work_of(session: AsyncSession, agent_id: PersonId) -> list[WorkItem]:
    """Return the unsettled work that somebody holds, alone or with another."""
    held = [
        select(_WORK_ITEMS).where(holder == agent_id, ~_WORK_ITEMS.c.settled)
        for holder in (_WORK_ITEMS.c.agent_id, _WORK_ITEMS.c.senior_id)
    ]
    rows = await session.execute(union_all(*held))
    return sorted((_work_item(row) for row in rows), key=lambda item: item.id)


async def _locked(session: AsyncSession, *which: ColumnElement[bool]) -> list[WorkItem]:
    wanted = select(_WORK_ITEMS).where(*which).order_by(_WORK_ITEMS.c.id).with_for_update()
    return [_work_item(row) for row in await session.execute(wanted)]


def _person(value: object) -> PersonId | None:
    return None if value is None else PersonId(str(value))


def _group(value: object) -> SkillGroupId | None:
    return None if value is None else SkillGroupId(str(value))


def _shown(candidate: Candidate) -> dict[str, object]:
    return {
        "agent_id": candidate.agent_id,
        "state": candidate.state,
        "load": candidate.load,
        "capacity": candidate.capacity,
    }


def _work_item(row: Row[Any]) -> WorkItem:
    return WorkItem(
        id=WorkId(row.id),
        shop_id=ShopId(row.shop_id),
        kind=row.kind,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id or row.order_id,
        order_id=None if row.order_id is None else OrderId(row.order_id),
        buyer_id=_person(row.buyer_id),
        role=row.role,
        skill_group_id=_group(row.skill_group_id),
        due_at=row.due_at,
        waiting_since=row.waiting_since,
        agent_id=_person(row.agent_id),
        previous_agent_id=_person(row.previous_agent_id),
        version=row.version,
        settled=row.settled,
        level=row.level,
        owner_version=row.owner_version,
        senior_id=_person(row.senior_id),
    )
