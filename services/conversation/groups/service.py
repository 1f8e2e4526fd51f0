"""A shop's skill groups: created, listed, named by their codes."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId, SkillGroupId
from kit.errors import Conflict, Unprocessable
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.postgres import Database
from kit.text import refuse_unstorable
from kit.web.auth import Principal
from kit.web.paging import Page
from services.conversation.groups import repository
from services.conversation.groups.domain import SkillGroup
from services.conversation.groups.schemas import GroupView, NewGroup

GROUPS_LIMIT: Final = 200
"""Skill groups of a shop at most; one more is answered 409. All are read for each new buyer."""


class GroupExists(Conflict):
    """The shop has a group of that code."""

    slug, title = "group_exists", "The shop has this skill group already"


class TooManyGroups(Conflict):
    """The shop has as many skill groups as it may have."""

    slug, title = "too_many_groups", f"A shop has at most {GROUPS_LIMIT} skill groups"


class UnknownGroup(Unprocessable):
    """The shop has no skill group of that code."""

    slug, title = "unknown_group", "The shop has no such skill group"


@dataclass(frozen=True)
class SkillGroups:
    """Use cases about skill groups."""

    db: Database
    ids: Ids

    async def create(self, principal: Principal, body: NewGroup, *, key: CommandKey) -> GroupView:
        """Create a skill group. Raises `GroupExists`, `TooManyGroups`."""
        shop_id = ShopId(principal.shop_id)
        async with self.db.keyed(key) as command:
            refuse_unstorable(body.name)
            if len(await repository.groups_of_shop(command.session, shop_id)) >= GROUPS_LIMIT:
                raise TooManyGroups
            group = SkillGroup(SkillGroupId(self.ids.new()), shop_id, body.code, body.name)
            if not await repository.add_group(command.session, group):
                raise GroupExists
            return await command.keep(_group_view(group))

    async def listed(self, principal: Principal) -> Page[GroupView]:
        """Return the shop's skill groups by code."""
        async with self.db.read(principal.shop_id) as session:
            found = await repository.groups_of_shop(session, principal.shop_id)
        return Page(items=[_group_view(one) for one in found])


async def groups_named(
    session: AsyncSession, shop_id: ShopId, codes: tuple[str, ...]
) -> tuple[SkillGroupId, ...]:
    """Return the shop's skill groups of these codes. Raises `UnknownGroup`."""
    known = {group.code: group.id for group in await repository.groups_of_shop(session, shop_id)}
    missing = [code for code in codes if code not in known]
    if missing:
        raise UnknownGroup(f"Create {missing[0]} first, or leave it out.")
    return tuple(sorted({known[code] for code in codes}))


def _group_view(group: SkillGroup) -> GroupView:
    return GroupView(id=group.id, code=group.code, name=group.name)
