"""Skill groups: added, listed. Knows no rule."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId, SkillGroupId
from services.conversation.groups.domain import SkillGroup
from services.conversation.groups.models import SkillGroupRow
from services.conversation.tables import fields, table_of

_SKILL_GROUPS: Final = table_of(SkillGroupRow)


async def groups_of_shop(session: AsyncSession, shop_id: str) -> list[SkillGroup]:
    """Return a shop's skill groups by code."""
    wanted = select(_SKILL_GROUPS).where(_SKILL_GROUPS.c.shop_id == shop_id)
    rows = await session.execute(wanted.order_by(_SKILL_GROUPS.c.code))
    return [
        SkillGroup(SkillGroupId(row.id), ShopId(row.shop_id), row.code, row.name) for row in rows
    ]


async def add_group(session: AsyncSession, group: SkillGroup) -> bool:
    """Insert a skill group; False if the shop has one of that code."""
    made = upsert(_SKILL_GROUPS).values(fields(group, _SKILL_GROUPS.columns.keys()))
    row = await session.execute(made.on_conflict_do_nothing().returning(_SKILL_GROUPS.c.id))
    return row.scalar() is not None
