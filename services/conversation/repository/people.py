"""Shops, skill groups, staff and buyers, with their refresh tokens. Knows no rule and no hash."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import CHATTING_STAFF, AgentState, PersonId, Role, ShopId, SkillGroupId
from services.conversation.domain.people import Agent, AtWork, Buyer, Shop, SkillGroup
from services.conversation.models import (
    BuyerRow,
    RefreshTokenRow,
    ShopRow,
    SkillGroupRow,
    StaffRow,
    StaffSkillRow,
    table_of,
)

_BUYERS: Final = table_of(BuyerRow)
_REFRESH_TOKENS: Final = table_of(RefreshTokenRow)
_SHOPS: Final = table_of(ShopRow)
_SKILL_GROUPS: Final = table_of(SkillGroupRow)
_STAFF: Final = table_of(StaffRow)
_STAFF_SKILLS: Final = table_of(StaffSkillRow)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is stored: by its hash. Tokens of one login form a family.

    `created_at` None: it was stored before that was kept.
    """

    hash: bytes
    family: str
    subject: PersonId
    kind: str
    expires_at: datetime
    created_at: datetime | None
    used_at: datetime | None = None


# ---- shops and skill groups


async def find_shop(session: AsyncSession, shop_id: str, *, lock: bool = False) -> Shop | None:
    """Return a shop, locked until the transaction ends if asked."""
    wanted = select(_SHOPS).where(_SHOPS.c.id == shop_id)
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    return None if row is None else _shop(row)


async def add_shop(session: AsyncSession, shop: Shop) -> bool:
    """Insert a shop; False if it is there already."""
    made = upsert(_SHOPS).values(_fields(shop, _SHOPS.columns.keys())).on_conflict_do_nothing()
    return (await session.execute(made.returning(_SHOPS.c.id))).scalar() is not None


async def save_shop(session: AsyncSession, shop: Shop) -> None:
    """Write back a shop."""
    changed = update(_SHOPS).where(_SHOPS.c.id == shop.id)
    await session.execute(changed.values(_fields(shop, _SHOPS.columns.keys())))


async def every_shop(session: AsyncSession) -> list[Shop]:
    """Return all shops, the platform's own scope among them, locked until the transaction ends."""
    wanted = select(_SHOPS).order_by(_SHOPS.c.id).with_for_update()
    return [_shop(row) for row in await session.execute(wanted)]


async def groups_of_shop(session: AsyncSession, shop_id: str) -> list[SkillGroup]:
    """Return a shop's skill groups by code."""
    wanted = select(_SKILL_GROUPS).where(_SKILL_GROUPS.c.shop_id == shop_id)
    rows = await session.execute(wanted.order_by(_SKILL_GROUPS.c.code))
    return [
        SkillGroup(SkillGroupId(row.id), ShopId(row.shop_id), row.code, row.name) for row in rows
    ]


async def add_group(session: AsyncSession, group: SkillGroup) -> bool:
    """Insert a skill group; False if the shop has one of that code."""
    made = upsert(_SKILL_GROUPS).values(_fields(group, _SKILL_GROUPS.columns.keys()))
    row = await session.execute(made.on_conflict_do_nothing().returning(_SKILL_GROUPS.c.id))
    return row.scalar() is not None


# ---- staff


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
    wanted = select(_STAFF.c.id, _STAFF.c.shop_id, _STAFF.c.state, _STAFF.c.resume_state).where(
        # As text, for only so the planner sees that the partial index is meant.
        text("active and (state <> 'offline' or resume_state is not null)")
    )
    return [
        AtWork(
            id=PersonId(row.id),
            shop_id=ShopId(row.shop_id),
            state=AgentState(row.state),
            resume_state=None if row.resume_state is None else AgentState(row.resume_state),
        )
        for row in await session.execute(wanted)
    ]


async def add_agent(session: AsyncSession, agent: Agent, password_hash: str) -> bool:
    """Insert a member of staff with his skills; False if the login is taken."""
    values = _fields(agent, _STAFF.columns.keys()) | {"password_hash": password_hash}
    made = upsert(_STAFF).values(values).on_conflict_do_nothing().returning(_STAFF.c.id)
    if (await session.execute(made)).scalar() is None:
        return False
    await _set_skills(session, agent.id, agent.skill_group_ids)
    return True


async def save_agent(session: AsyncSession, agent: Agent, *, skills: bool = False) -> None:
    """Write back a member of staff, and his skills if they changed."""
    changed = update(_STAFF).where(_STAFF.c.id == agent.id)
    await session.execute(changed.values(_fields(agent, _STAFF.columns.keys())))
    if skills:
        await session.execute(delete(_STAFF_SKILLS).where(_STAFF_SKILLS.c.staff_id == agent.id))
        await _set_skills(session, agent.id, agent.skill_group_ids)


async def every_agent(
    session: AsyncSession, *, after: str | None = None, limit: int = 1_000
) -> list[Agent]:
    """Return staff of all shops in the order of their ids, beyond `after`, locked; no skills."""
    wanted = select(_STAFF).order_by(_STAFF.c.id).limit(limit).with_for_update()
    if after is not None:
        wanted = wanted.where(_STAFF.c.id > after)
    return [_agent(row, ()) for row in await session.execute(wanted)]


async def password_of(session: AsyncSession, agent_id: str) -> str | None:
    """Return the stored hash of a member of staff."""
    wanted = select(_STAFF.c.password_hash).where(_STAFF.c.id == agent_id)
    return (await session.execute(wanted)).scalar_one_or_none()


async def set_password(session: AsyncSession, agent_id: str, password_hash: str) -> None:
    """Store a new password's hash."""
    changed = update(_STAFF).where(_STAFF.c.id == agent_id)
    await session.execute(changed.values(password_hash=password_hash))


# ---- buyers


async def find_buyer(session: AsyncSession, buyer_id: str, *, lock: bool = False) -> Buyer | None:
    """Return a buyer of any shop; the caller checks whose."""
    wanted = select(_BUYERS).where(_BUYERS.c.id == buyer_id)
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    return None if row is None else _buyer(row)


async def find_buyers(session: AsyncSession, ids: Iterable[str]) -> dict[str, Buyer]:
    """Return several buyers by id."""
    rows = await session.execute(select(_BUYERS).where(_BUYERS.c.id.in_(set(ids))))
    return {row.id: _buyer(row) for row in rows}


async def keep_buyer(session: AsyncSession, buyer: Buyer, *, told: Iterable[str]) -> Buyer:
    """Insert a buyer, or change of a known one the columns `told`; return what is stored."""
    made = upsert(_BUYERS).values(_fields(buyer, _BUYERS.columns.keys()))
    changed = {name: made.excluded[name] for name in told} or {"id": _BUYERS.c.id}  # returns a row
    kept = made.on_conflict_do_update(index_elements=[_BUYERS.c.id], set_=changed)
    return _buyer((await session.execute(kept.returning(_BUYERS))).one())


async def save_buyer(session: AsyncSession, buyer: Buyer) -> None:
    """Write back a buyer."""
    changed = update(_BUYERS).where(_BUYERS.c.id == buyer.id)
    await session.execute(changed.values(_fields(buyer, _BUYERS.columns.keys())))


async def revoked_buyers(session: AsyncSession, *, since: datetime) -> list[Buyer]:
    """Return buyers whose tokens were withdrawn since, locked until the transaction ends."""
    wanted = select(_BUYERS).where(_BUYERS.c.version > 0, _BUYERS.c.not_before >= since)
    rows = await session.execute(wanted.order_by(_BUYERS.c.id).with_for_update())
    return [_buyer(row) for row in rows]


# ---- refresh tokens


async def add_refresh(session: AsyncSession, token: RefreshToken) -> None:
    """Store a refresh token."""
    values = _fields(token, _REFRESH_TOKENS.columns.keys())
    await session.execute(insert(_REFRESH_TOKENS).values(values))


async def find_refresh(
    session: AsyncSession, token_hash: bytes, *, lock: bool = False
) -> RefreshToken | None:
    """Return a refresh token, locked until the transaction ends if asked: the person first."""
    wanted = select(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.hash == token_hash)
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    if row is None:
        return None
    return RefreshToken(
        hash=row.hash,
        family=row.family,
        subject=PersonId(row.subject),
        kind=row.kind,
        expires_at=row.expires_at,
        created_at=row.created_at,
        used_at=row.used_at,
    )


async def use_refresh(session: AsyncSession, token_hash: bytes, at: datetime) -> None:
    """Mark a refresh token as spent."""
    changed = update(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.hash == token_hash)
    await session.execute(changed.values(used_at=at))


async def forget_family(session: AsyncSession, family: str) -> None:
    """End one login: none of its refresh tokens is worth anything any more."""
    await session.execute(delete(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.family == family))


async def forget_subject(session: AsyncSession, subject: str) -> None:
    """End every login of a person."""
    await session.execute(delete(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.subject == subject))


async def forget_expired(session: AsyncSession, now: datetime, *, limit: int) -> None:
    """Delete at most `limit` refresh tokens that are over."""
    over = select(_REFRESH_TOKENS.c.hash).where(_REFRESH_TOKENS.c.expires_at < now).limit(limit)
    # Passed over: what a session under way holds, which may wait for another of these.
    free = over.with_for_update(skip_locked=True)
    await session.execute(delete(_REFRESH_TOKENS).where(_REFRESH_TOKENS.c.hash.in_(free)))


# ---- rows and facts


async def _one_agent(session: AsyncSession, wanted: Select[Any], *, lock: bool) -> Agent | None:
    row = (await session.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
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


def _fields(facts: object, columns: Iterable[str]) -> dict[str, object]:
    return {name: getattr(facts, name) for name in columns if hasattr(facts, name)}


def _shop(row: Row[Any]) -> Shop:
    return Shop(
        id=ShopId(row.id),
        name=row.name,
        time_zone=row.time_zone,
        active=row.active,
        secret_version=row.secret_version,
        policy=row.policy,
        version=row.version,
    )


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
    )


def _buyer(row: Row[Any]) -> Buyer:
    return Buyer(
        id=PersonId(row.id),
        shop_id=ShopId(row.shop_id),
        name=row.name,
        external_id=row.external_id,
        phone=row.phone,
        address=row.address,
        tier=row.tier,
        not_before=row.not_before,
        version=row.version,
    )
