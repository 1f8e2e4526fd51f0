"""What routing looks at and leaves behind: queues, candidates, work items, decisions.

Knows no rule.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import (
    CHATTING_STAFF,
    AgentState,
    OrderId,
    PersonId,
    ShopId,
    SkillGroupId,
    WorkId,
)
from services.conversation.conversations.clock import FIRST_UNANSWERED
from services.conversation.routing.assignment import TIER_STEP, Candidate, Decision, Waiting
from services.conversation.routing.domain import WorkItem
from services.conversation.routing.models import DecisionRow, WorkItemRow
from services.conversation.staff.domain import AT_DESK
from services.conversation.staff.models import StaffRow
from services.conversation.tables import table_of

_DECISIONS: Final = table_of(DecisionRow)
_STAFF: Final = table_of(StaffRow)
_WORK_ITEMS: Final = table_of(WorkItemRow)

WAITING_PER_GROUP: Final = 50
"""Of each group's queue this many are looked at in one go; the next go sees the next ones."""

_CANDIDATES: Final = text(
    """
    select s.id, s.state, s.capacity, s.last_assigned_at,
           (select count(*) from conversations c where c.agent_id = s.id and c.state = 'assigned')
         + (select count(*) from work_items w where w.agent_id = s.id and not w.settled) as load,
           array(select k.skill_group_id::text from staff_skills k where k.staff_id = s.id)
               as groups
    from staff s
    where s.shop_id = :shop and s.active and s.state <> 'offline' and s.role = any(:roles)
    """
)

_LOAD: Final = text(
    """
    select (select count(*) from conversations where agent_id = :agent and state = 'assigned')
         + (select count(*) from work_items where agent_id = :agent and not settled)
    """
)

_WAITING: Final = text(
    """
    select * from (
        select q.*, row_number() over (
            partition by skill_group_id order by since - priority * cast(:step as interval), id
        ) as place
        from (
            select 'conversation' as kind, id, skill_group_id, waiting_since as since, priority,
                   preferred_agent_id, avoided_agent_id
            from conversations where shop_id = :shop and state = 'queued'
            union all
            select 'work', id, skill_group_id, waiting_since, 0, previous_agent_id, null
            from work_items where shop_id = :shop and waiting_since is not null and not settled
        ) q
    ) queue
    where place <= :limit
    """
)

_SHOPS_SERVING: Final = text("select distinct shop_id from conversations where state = 'assigned'")

_SHOPS_WAITING: Final = text(
    """
    select distinct shop_id from conversations where state = 'queued'
    union
    select distinct shop_id from work_items where waiting_since is not null and not settled
    """
)

_LEFT_WAITING: Final = text(
    f"""
    select i.id
    from conversations i join staff a on a.id = i.agent_id {FIRST_UNANSWERED}
    where i.shop_id = :shop and i.state = 'assigned' and i.assigned_at < :before
      and a.state = any(:states) and word.since < :before
    order by i.id
    limit :limit
    """
)


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits in a shop; `work` names those that are work items."""

    waiting: tuple[Waiting, ...]
    work: frozenset[str]


@dataclass(frozen=True, slots=True)
class Kept:
    """What decisions of one go have in common; `work` names those about work items."""

    shop_id: ShopId
    trigger: str
    work: frozenset[str] = frozenset()


async def candidates(session: AsyncSession, shop_id: ShopId) -> list[Candidate]:
    """Return the shop's agents who are not offline, each with his load."""
    roles = sorted(CHATTING_STAFF)
    rows = await session.execute(_CANDIDATES, {"shop": shop_id, "roles": roles})
    return [
        Candidate(
            agent_id=PersonId(str(row.id)),
            state=AgentState(row.state),
            load=row.load,
            capacity=row.capacity,
            groups=frozenset(SkillGroupId(group) for group in row.groups),
            last_assigned_at=row.last_assigned_at,
        )
        for row in rows
    ]


async def load_of(session: AsyncSession, agent_id: PersonId) -> int:
    """Return how many conversations and work items an agent has, as `candidates` counts them."""
    return int((await session.execute(_LOAD, {"agent": agent_id})).scalar_one())


async def queue(session: AsyncSession, shop_id: ShopId) -> Queue:
    """Return the heads of the shop's queues."""
    asked = {"shop": shop_id, "limit": WAITING_PER_GROUP, "step": TIER_STEP}
    rows = list(await session.execute(_WAITING, asked))
    return Queue(
        waiting=tuple(_waiting(row) for row in rows),
        work=frozenset(str(row.id) for row in rows if row.kind == "work"),
    )


async def shops_waiting(session: AsyncSession) -> list[ShopId]:
    """Return the shops in which something waits."""
    return sorted(ShopId(row.shop_id) for row in await session.execute(_SHOPS_WAITING))


async def shops_serving(session: AsyncSession) -> list[ShopId]:
    """Return the shops in which somebody has a buyer."""
    return sorted(ShopId(row.shop_id) for row in await session.execute(_SHOPS_SERVING))


async def left_waiting(
    session: AsyncSession, shop_id: ShopId, *, before: datetime, limit: int
) -> list[str]:
    """Return conversations whose agent is at his desk and has said nothing since `before`.

    The buyer asked, and the agent got him, before that moment. Read from the archive, an index
    look each: a column would cost a row update per message.
    """
    asked = {"shop": shop_id, "before": before, "limit": limit, "states": sorted(AT_DESK)}
    return [str(row.id) for row in await session.execute(_LEFT_WAITING, asked)]


async def record(
    session: AsyncSession, kept: Kept, made: Sequence[tuple[str, Decision]], *, at: datetime
) -> None:
    """Keep decisions, each under its id, with their reasons and candidates (C1)."""
    if not made:
        return
    rows = [
        {
            "id": decision_id,
            "shop_id": kept.shop_id,
            "subject_kind": "work" if decision.waiting_id in kept.work else "conversation",
            "subject_id": decision.waiting_id,
            "at": at,
            "trigger": kept.trigger,
            "reason": decision.reason,
            "agent_id": decision.agent_id,
            "candidates": [_shown(candidate) for candidate in decision.candidates],
        }
        for decision_id, decision in made
    ]
    await session.execute(insert(_DECISIONS), rows)


async def decisions_on(session: AsyncSession, subject_id: str, limit: int) -> list[Row[Any]]:
    """Return the latest decisions on a conversation or work item."""
    wanted = select(_DECISIONS).where(_DECISIONS.c.subject_id == subject_id)
    rows = await session.execute(wanted.order_by(_DECISIONS.c.at.desc()).limit(limit))
    return list(rows)


async def note_assigned(session: AsyncSession, agent_ids: Sequence[PersonId], at: datetime) -> None:
    """Remember that these agents have just been given something."""
    changed = update(_STAFF).where(_STAFF.c.id.in_(agent_ids))
    await session.execute(changed.values(last_assigned_at=at))


async def lock_work(session: AsyncSession, work_id: str) -> WorkItem | None:
    """Return a work item that nobody else changes until this transaction ends."""
    wanted = select(_WORK_ITEMS).where(_WORK_ITEMS.c.id == work_id).with_for_update()
    row = (await session.execute(wanted)).one_or_none()
    return None if row is None else _work_item(row)


async def work_of(session: AsyncSession, agent_id: PersonId) -> list[WorkItem]:
    """Return the work an agent has, unsettled."""
    wanted = select(_WORK_ITEMS).where(_WORK_ITEMS.c.agent_id == agent_id, ~_WORK_ITEMS.c.settled)
    return [_work_item(row) for row in await session.execute(wanted.order_by(_WORK_ITEMS.c.id))]


async def save_work(session: AsyncSession, item: WorkItem) -> None:
    """Insert or write back a work item."""
    values = asdict(item)
    changed = insert(_WORK_ITEMS).values(values)
    await session.execute(
        changed.on_conflict_do_update(index_elements=[_WORK_ITEMS.c.id], set_=values)
    )


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        id=str(row.id),
        skill_group_id=_group(row.skill_group_id),
        since=row.since,
        priority=row.priority,
        preferred_agent_id=_person(row.preferred_agent_id),
        avoided_agent_id=_person(row.avoided_agent_id),
    )


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
        order_id=OrderId(row.order_id),
        buyer_id=PersonId(row.buyer_id),
        skill_group_id=_group(row.skill_group_id),
        due_at=row.due_at,
        waiting_since=row.waiting_since,
        agent_id=_person(row.agent_id),
        previous_agent_id=_person(row.previous_agent_id),
        version=row.version,
        settled=row.settled,
    )
