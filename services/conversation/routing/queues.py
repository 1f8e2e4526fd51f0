"""What routing looks at: who has room, and of each queue so many heads as there are places.

Every statement costs by places, agents or shops, never by how many wait (H39). Knows no rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import CHATTING_STAFF, AgentState, PersonId, ShopId, SkillGroupId
from services.conversation.conversations.clock import FIRST_UNANSWERED
from services.conversation.routing.assignment import Candidate, Overdue, Places, Waiting
from services.conversation.shops.repository import OVERFLOW_S
from services.conversation.staff.domain import AT_DESK, AWAY

HEADS: Final = 50
"""Of each queue so many are looked at in one go at most; the next go sees the next ones."""

_STATES: Final = {str(state): state for state in AgentState}

_TAKEN: Final = "taken_version = assignment_version and state = 'assigned'"
"""What `ix_conversations_taken` holds: somebody took it off duty, and it is in no load (F11)."""

_CANDIDATES: Final = text(
    f"""
    select s.id::text, s.state, s.capacity, s.last_assigned_at, s.role,
           case when :everybody or has.load < s.capacity then array(
               select k.skill_group_id::text from staff_skills k where k.staff_id = s.id
           ) end as groups,
           coalesce(b.count, 0) as beside, has.load
    from staff s
    left join (
        select agent_id, count(*) from conversations
        where shop_id = :shop and state = 'assigned' group by agent_id
    ) c on c.agent_id = s.id
    left join (
        select agent_id, count(*) from conversations
        where shop_id = :shop and {_TAKEN} group by agent_id
    ) t on t.agent_id = s.id
    left join (
        select agent_id, count(*) from work_items
        where shop_id = :shop and agent_id is not null and not settled group by agent_id
    ) w on w.agent_id = s.id
    left join (
        select senior_id, count(*) from work_items
        where shop_id = :shop and senior_id is not null and not settled group by senior_id
    ) b on b.senior_id = s.id
    cross join lateral (
        select coalesce(c.count, 0) - coalesce(t.count, 0)
             + coalesce(w.count, 0) + coalesce(b.count, 0) as load
    ) has
    where s.shop_id = :shop and s.active and s.state <> 'offline' and s.role = any(:roles)
    """
)

_LOAD: Final = text(
    f"""
    select (select count(*) from conversations where agent_id = :agent and state = 'assigned')
         - (select count(*) from conversations where agent_id = :agent and {_TAKEN})
         + (select count(*) from work_items where agent_id = :agent and not settled)
         + (select count(*) from work_items where senior_id = :agent and not settled)
    """
)

_ALONE: Final = (
    "level > 0 and agent_id is not null and senior_id is null and not settled"
    " and coalesce(work_items.role, 'senior') = 'senior'"
)
"""What `ix_work_items_overdue` holds: its holder alone has it, and a senior may have it."""

_OVERDUE: Final = text(
    f"""
    select id::text, agent_id::text, skill_group_id::text from work_items
    where shop_id = :shop and {_ALONE} and agent_id <> all(cast(:but as uuid[]))
    order by due_at, work_items.id limit :limit
    """
)

_SHOPS_OVERDUE: Final = text(
    f"""
    select distinct s.shop_id from staff s
    where s.active and s.state = 'online' and s.role = 'senior' and exists (
        select 1 from work_items where work_items.shop_id = s.shop_id and {_ALONE}
            and agent_id <> s.id
    )
    """
)

_CHATS: Final = """
    select 'conversation' as kind, c.id, c.skill_group_id, c.waiting_since as since, c.priority,
           c.preferred_agent_id, c.avoided_agent_id, null::text as role
    from conversations c where c.shop_id = :shop and c.state = 'queued'
"""
_WORK: Final = """
    select 'work', w.id, w.skill_group_id, w.waiting_since, 0, w.previous_agent_id, w.senior_id,
           w.role
    from work_items w
    where w.shop_id = :shop and w.waiting_since is not null and not w.settled
"""
_CHATS_IN_ORDER: Final = "order by c.rank_at, c.id limit"
_WORK_IN_ORDER: Final = "order by w.waiting_since, w.id limit"

_SERVED: Final = """
    select id from skill_groups
    where shop_id = :shop and (:every or id = any(cast(:groups as uuid[])))
"""
_OWN: Final = (
    "unnest(cast(:agents as uuid[]), cast(:rooms as integer[]), cast(:their_roles as text[]))"
    " as a (id, room, role)"
)

_HEADS: Final = text(
    f"""
    with patient as (
        select cast(:now as timestamptz) - make_interval(secs => {OVERFLOW_S}) as since
    )
    select patient.since as patient, head.* from patient left join lateral (
    select h.* from ({_SERVED}) g cross join lateral (
        {_CHATS} and c.skill_group_id = g.id {_CHATS_IN_ORDER} :most
    ) h
    union
    select h.* from ({_SERVED}) g cross join lateral (
        {_WORK} and w.skill_group_id = g.id {_WORK_IN_ORDER} :most
    ) h
    union
    ({_WORK} and w.skill_group_id is null and w.role is null {_WORK_IN_ORDER} :anybodys)
    union
    select h.* from unnest(cast(:roles as text[])) as r (role) cross join lateral (
        {_WORK} and w.role = r.role {_WORK_IN_ORDER} :most
    ) h
    union
    select h.* from {_OWN} cross join lateral (
        {_CHATS} and c.preferred_agent_id = a.id {_CHATS_IN_ORDER} a.room
    ) h
    union
    select h.* from {_OWN} cross join lateral (
        {_WORK} and w.previous_agent_id = a.id and (w.role is null or w.role = a.role)
            {_WORK_IN_ORDER} a.room
    ) h
    union
    select h.* from skill_groups g cross join lateral (
        {_CHATS} and c.skill_group_id = g.id and c.rank_at <= patient.since
            and c.waiting_since <= patient.since {_CHATS_IN_ORDER} :online
    ) h where g.shop_id = :shop
    union
    select h.* from skill_groups g cross join lateral (
        {_WORK} and w.skill_group_id = g.id and w.waiting_since <= patient.since
            {_WORK_IN_ORDER} :online
    ) h where g.shop_id = :shop
    ) head on true
    """
)
"""Of each group and role with places its heads, of each agent his own, of every group those who
waited for so long that anybody helps. A head may be found in more ways than one; what names a role
names no group. Since when that is, is told even where there is no head: the rest of the row is
empty then."""

_LEFT_WAITING: Final = text(
    f"""
    select i.id, a.state = any(:away) and not own.is_taken as is_away
    from conversations i join staff a on a.id = i.agent_id
    cross join lateral (
        select coalesce(i.taken_version = i.assignment_version, false) as is_taken
    ) own {FIRST_UNANSWERED}
    where i.shop_id = :shop and i.state = 'assigned'
      and (
        a.state = any(:away) and not own.is_taken
        or (a.state = any(:at_desk) or own.is_taken) and i.assigned_at < :before
      )
      and word.since < case
        when a.state = any(:away) and not own.is_taken then :through else :before end
    limit :limit
    """
)
"""What somebody took off duty he keeps wherever he is, unless he is silent."""


def _each_shop(table: str, where: str) -> str:
    """Return a statement that finds the shops with such rows, one look into the index a shop."""
    return f"""(
        with recursive found (shop_id) as (
            (select shop_id from {table} where {where} order by shop_id limit 1)
            union all
            select (
                select t.shop_id from {table} t
                where {where} and t.shop_id > f.shop_id order by t.shop_id limit 1
            ) from found f where f.shop_id is not null
        )
        select shop_id from found where shop_id is not null
    )"""


_SHOPS_WAITING: Final = text(
    _each_shop("conversations", "state = 'queued'")
    + " union "
    + _each_shop("work_items", "waiting_since is not null and not settled")
)
_SHOPS_SERVING: Final = text(_each_shop("conversations", "state = 'assigned'"))


@dataclass(frozen=True, slots=True)
class Queue:
    """The heads of a shop's queues; `work` names those that are work items.

    Who waits since `patient`, or longer, is helped by any group.
    """

    waiting: tuple[Waiting, ...]
    work: frozenset[str]
    patient: datetime


async def candidates(session: AsyncSession, shop_id: ShopId, *, everybody: bool) -> list[Candidate]:
    """Return the shop's agents who are not offline, each with his load.

    The groups of `everybody` say why somebody has to wait; without, those of who has room are read.
    """
    asked = {"shop": shop_id, "roles": sorted(CHATTING_STAFF), "everybody": everybody}
    rows = await session.execute(_CANDIDATES, asked)
    return [
        Candidate(
            agent_id=PersonId(agent_id),
            state=_STATES[state],
            load=load,
            capacity=capacity,
            groups=None if groups is None else frozenset(groups),
            last_assigned_at=last_assigned_at,
            role=role,
            beside=beside,
        )
        for agent_id, state, capacity, last_assigned_at, role, groups, beside, load in rows
    ]


async def load_of(session: AsyncSession, agent_id: PersonId) -> int:
    """Return how many conversations and work items an agent has, as `candidates` counts them."""
    return int((await session.execute(_LOAD, {"agent": agent_id})).scalar_one())


async def heads(session: AsyncSession, shop_id: ShopId, places: Places, *, now: datetime) -> Queue:
    """Return who may be given one of these places."""
    asked = {
        "shop": shop_id,
        "every": places.every,
        "groups": sorted(places.groups),
        "roles": sorted(places.roles),
        "most": min(places.count, HEADS),
        "anybodys": min(places.count, HEADS) if places.online else 0,
        "online": min(places.online, HEADS),
        "agents": [agent_id for agent_id, _, _ in places.own],
        "rooms": [min(room, HEADS) for _, room, _ in places.own],
        "their_roles": [role for _, _, role in places.own],
        "now": now,
    }
    told = list(await session.execute(_HEADS, asked))
    rows = [row for row in told if row.id is not None]
    return Queue(
        waiting=tuple(_waiting(row) for row in rows),
        work=frozenset(str(row.id) for row in rows if row.kind == "work"),
        patient=told[0].patient,
    )


async def overdue(
    session: AsyncSession, shop_id: ShopId, *, seniors: Sequence[PersonId]
) -> list[Overdue]:
    """Return overdue work that its holder alone has, the latest first: heads for these seniors.

    Nobody is added to himself: what the only one of them holds keeps nobody else waiting.
    """
    alone = list(seniors) if len(seniors) == 1 else []
    asked = {"shop": shop_id, "but": alone, "limit": HEADS}
    rows = await session.execute(_OVERDUE, asked)
    return [Overdue(row.id, PersonId(row.agent_id), _group(row.skill_group_id)) for row in rows]


async def shops_overdue(session: AsyncSession) -> list[ShopId]:
    """Return the shops in which a senior is online, and another has overdue work alone."""
    return sorted(ShopId(row.shop_id) for row in await session.execute(_SHOPS_OVERDUE))


async def shops_waiting(session: AsyncSession) -> list[ShopId]:
    """Return the shops in which something waits."""
    return sorted(ShopId(row.shop_id) for row in await session.execute(_SHOPS_WAITING))


async def shops_serving(session: AsyncSession) -> list[ShopId]:
    """Return the shops in which somebody has a buyer."""
    return sorted(ShopId(row.shop_id) for row in await session.execute(_SHOPS_SERVING))


async def left_waiting(
    session: AsyncSession, shop_id: ShopId, *, before: datetime, through: datetime, limit: int
) -> dict[str, bool]:
    """Return conversations whose buyer waits in vain, each with whether its agent is away.

    Who is at his desk, or took the buyer off duty, has said nothing since `before`, when he had the
    buyer and the question; who is away owes any word from before `through`. Read from the archive,
    an index look each: a column would cost a row update per message.
    """
    asked = {"shop": shop_id, "before": before, "through": through, "limit": limit}
    asked |= {"at_desk": sorted(AT_DESK), "away": sorted(AWAY)}
    return {str(row.id): row.is_away for row in await session.execute(_LEFT_WAITING, asked)}


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        id=str(row.id),
        skill_group_id=_group(row.skill_group_id),
        since=row.since,
        priority=row.priority,
        preferred_agent_id=_person(row.preferred_agent_id),
        avoided_agent_id=_person(row.avoided_agent_id),
        role=row.role,
    )


def _group(value: object) -> SkillGroupId | None:
    return None if value is None else SkillGroupId(str(value))


def _person(value: object) -> PersonId | None:
    return None if value is None else PersonId(str(value))
