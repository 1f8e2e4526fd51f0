"""Members of staff: found, listed, changed. Knows no rule and makes no hash."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    Row,
    Select,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import CHATTING_STAFF, AgentState, PersonId, Role, ShopId, SkillGroupId
from services.conversation.staff.domain import Agent, AtWork
from services.conversation.staff.models import FORM, LISTED_BEFORE, StaffRow, StaffSkillRow
from services.conversation.tables import fields, table_of

_STAFF: Final = table_of(StaffRow)
_STAFF_SKILLS: Final = table_of(StaffSkillRow)

_STATES: Final = {str(state): state for state in AgentState}
"""A look into it costs a fifth of making an `AgentState` of a text."""


async def find_agent(session: AsyncSession, agent_id: str, *, lock: bool = False) -> Agent | None:
    """Return a member of staff of any shop; the caller checks whose."""
    return await _one_agent(session, select(_STAFF).where(_STAFF.c.id == agent_id), lock=lock)


async def find_login(session: AsyncSession, login: str) -> tuple[Agent, str] | None:
    """Return who has this login, with the stored hash."""
    row = (await session.execute(select(_STAFF).where(_STAFF.c.login == login))).one_or_none()
    return None if row is None else (_agent(row, ()), row.password_hash)


async def staff_of_shop(
    session: AsyncSession, shop_id: str, *, after: str | None = None, limit: int = 200
) -> list[Agent]:
    """Return a shop's staff in the order of their ids, beyond `after`."""
    wanted = select(_STAFF).where(_STAFF.c.shop_id == shop_id)
    if after is not None:
        wanted = wanted.where(_STAFF.c.id > after)
    rows = list(await session.execute(wanted.order_by(_STAFF.c.id).limit(limit)))
    skills = await _skills(session, [row.id for row in rows])
    return [_agent(row, skills.get(row.id, ())) for row in rows]


async def chatting(
    session: AsyncSession, shop_id: str, *, after: str | None, limit: int
) -> list[Agent]:
    """Return who may receive buyers in the shop, in the order of their ids; without skills."""
    wanted = select(_STAFF).where(
        _STAFF.c.shop_id == shop_id, _STAFF.c.active, _STAFF.c.role.in_(sorted(CHATTING_STAFF))
    )
    if after is not None:
        wanted = wanted.where(_STAFF.c.id > after)
    rows = await session.execute(wanted.order_by(_STAFF.c.id).limit(limit))
    return [_agent(row, ()) for row in rows]


async def at_work(session: AsyncSession) -> list[AtWork]:
    """Return everybody who is not offline, or would come back from a lost connection."""
    # Ids as text, for to turn 5,000 into text here costs as much as the rest.
    columns = (cast(_STAFF.c.id, Text), _STAFF.c.shop_id, _STAFF.c.state, _STAFF.c.resume_state)
    wanted = select(*columns).where(
        # As text, for only so the planner sees that the partial index is meant.
        text("active and (state <> 'offline' or resume_state is not null)")
    )
    return [
        AtWork(person, shop_id, _STATES[state], None if resume is None else _STATES[resume])
        for person, shop_id, state, resume in (await session.execute(wanted)).all()
    ]


async def add_agent(session: AsyncSession, agent: Agent, password_hash: str) -> bool:
    """Insert a member of staff with his skills; False if the login is taken."""
    values = fields(agent, _STAFF.columns.keys())
    values |= {"password_hash": password_hash, "listed_form": FORM}
    made = upsert(_STAFF).values(values).on_conflict_do_nothing().returning(_STAFF.c.id)
    if (await session.execute(made)).scalar() is None:
        return False
    await _set_skills(session, agent.id, agent.skill_group_ids)
    return True


async def save_agent(session: AsyncSession, agent: Agent, *, skills: bool = False) -> None:
    """Write back a member of staff, and his skills if they changed."""
    changed = update(_STAFF).where(_STAFF.c.id == agent.id)
    await session.execute(changed.values(fields(agent, _STAFF.columns.keys())))
    if skills:
        await session.execute(delete(_STAFF_SKILLS).where(_STAFF_SKILLS.c.staff_id == agent.id))
        await _set_skills(session, agent.id, agent.skill_group_ids)


async def lock_agents(session: AsyncSession, shop_id: str, ids: Sequence[str]) -> list[Agent]:
    """Return several of a shop's staff, locked in the order of their ids; without skills."""
    wanted = select(_STAFF).where(_STAFF.c.shop_id == shop_id, _STAFF.c.id.in_(ids))
    rows = await session.execute(wanted.order_by(_STAFF.c.id).with_for_update())
    return [_agent(row, ()) for row in rows]


async def save_agents(session: AsyncSession, agents: Sequence[Agent]) -> None:
    """Write back several, in one round trip."""
    if agents:
        one = update(_STAFF).where(_STAFF.c.id == bindparam("its_id"))
        columns = _STAFF.columns.keys()
        rows = [fields(agent, columns) | {"its_id": agent.id} for agent in agents]
        await session.execute(one, rows)


async def every_agent(
    session: AsyncSession, *, after: str | None = None, limit: int = 1_000
) -> list[Agent]:
    """Return staff of all shops in the order of their ids, beyond `after`, locked."""
    wanted = select(_STAFF).order_by(_STAFF.c.id).limit(limit).with_for_update()
    if after is not None:
        wanted = wanted.where(_STAFF.c.id > after)
    rows = list(await session.execute(wanted))
    skills = await _skills(session, [row.id for row in rows])
    return [_agent(row, skills.get(row.id, ())) for row in rows]


async def relist(session: AsyncSession, *, limit: int = 200) -> list[Agent]:
    """Return staff whose entry in the directory has an older form, and note that of today.

    Their versions are raised: a reader keeps the entry that it has of a version.
    """
    older = select(_STAFF.c.id).where(text(LISTED_BEFORE)).order_by(_STAFF.c.id)
    found = older.limit(limit).with_for_update(skip_locked=True).scalar_subquery()
    changed = update(_STAFF).where(_STAFF.c.id.in_(found)).returning(_STAFF)
    values = {"listed_form": FORM, "version": _STAFF.c.version + 1}
    rows = list(await session.execute(changed.values(values)))
    skills = await _skills(session, [row.id for row in rows])
    return [_agent(row, skills.get(row.id, ())) for row in rows]


async def password_of(session: AsyncSession, agent_id: str) -> str | None:
    """Return the stored hash of a member of staff."""
    wanted = select(_STAFF.c.password_hash).where(_STAFF.c.id == agent_id)
    return (await session.execute(wanted)).scalar_one_or_none()


async def set_password(session: AsyncSession, agent_id: str, password_hash: str) -> None:
    """Store a new password's hash."""
    changed = update(_STAFF).where(_STAFF.c.id == agent_id)
    await session.execute(changed.values(password_hash=password_hash))


async def _one_agent(session: AsyncSession, query: Select[Any], *, lock: bool) -> Agent | None:
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    skills = await _skills(session, [row.id])
    return _agent(row, skills.get(row.id, ()))


async def _skills(session: AsyncSession, ids: Sequence[str]) -> dict[str, tuple[SkillGroupId, ...]]:
    if not ids:
        return {}
    grouped = func.array_agg(_STAFF_SKILLS.c.skill_group_id).label("groups")
    wanted = select(_STAFF_SKILLS.c.staff_id, grouped).where(_STAFF_SKILLS.c.staff_id.in_(ids))
    rows = await session.execute(wanted.group_by(_STAFF_SKILLS.c.staff_id))
    return {row.staff_id: tuple(sorted(SkillGroupId(str(g)) for g in row.groups)) for row in rows}


async def _set_skills(
    session: AsyncSession, agent_id: PersonId, groups: Sequence[SkillGroupId]
) -> None:
    if groups:
        rows = [{"staff_id": agent_id, "skill_group_id": group} for group in sorted(set(groups))]
        await session.execute(insert(_STAFF_SKILLS), rows)


def _agent(row: Row[Any], skills: tuple[SkillGroupId, ...]) -> Agent:
    return Agent(
        id=PersonId(row.id),
        shop_id=ShopId(row.shop_id),
        name=row.name,
        role=Role(row.role),
        active=row.active,
        capacity=row.capacity,
        login=row.login,
        skill_group_ids=skills,
        not_before=row.not_before,
        version=row.version,
        state=AgentState(row.state),
        state_since=row.state_since,
        state_version=row.state_version,
        resume_state=None if row.resume_state is None else AgentState(row.resume_state),
        suspended_by=None if row.suspended_by is None else PersonId(row.suspended_by),
    )
