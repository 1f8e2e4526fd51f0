"""How a shop comes to be and staff join it, in the transaction of whoever lets them.

Every change that a gateway must know of goes to the directory in the same transaction (H13).
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, Role, ShopId, SkillGroupId
from kit import outbox
from kit.errors import Conflict, Unprocessable
from kit.text import refuse_unstorable
from services.conversation.domain import Stamp
from services.conversation.domain.people import Agent, Shop, SkillGroup, listed_agent, listed_shop
from services.conversation.repository import people
from services.conversation.schemas.people import NewStaff

GROUPS: Final = {
    "pre_sale": "售前",
    "in_sale": "售中",
    "after_sale": "售后",
    "complaint": "投诉",
}
"""The skill groups that every shop starts with (C1)."""


class LoginTaken(Conflict):
    """Logins are unique over the whole installation."""

    slug, title = "login_taken", "This login belongs to somebody else"


class UnknownGroup(Unprocessable):
    """The shop has no skill group of that code."""

    slug, title = "unknown_group", "The shop has no such skill group"


async def found_shop(session: AsyncSession, shop: Shop, stamp: Stamp) -> bool:
    """Insert a shop with the usual groups; False if it is there already."""
    if not await people.add_shop(session, shop):
        return False
    for code, name in GROUPS.items():
        group = SkillGroup(SkillGroupId(stamp.ids.new()), shop.id, code, name)
        await people.add_group(session, group)
    await outbox.add(session, listed_shop(shop, stamp))
    return True


async def hire(
    session: AsyncSession, shop_id: ShopId, body: NewStaff, *, password_hash: str, stamp: Stamp
) -> Agent:
    """Create a member of staff. Raises `LoginTaken`, `UnknownGroup`."""
    refuse_unstorable(body.name)
    refuse_unstorable(body.login)
    if body.role is Role.BUYER:
        raise Unprocessable("Buyers are not staff.")
    agent = Agent(
        id=PersonId(stamp.ids.new()),
        shop_id=shop_id,
        login=body.login.strip().lower(),
        name=body.name,
        role=body.role,
        active=True,
        capacity=body.capacity,
        skill_group_ids=await groups_named(session, shop_id, body.skill_groups),
    )
    await enlist(session, agent, password_hash, stamp)
    return agent


async def enlist(session: AsyncSession, agent: Agent, password_hash: str, stamp: Stamp) -> None:
    """Insert a member of staff and tell the directory. Raises `LoginTaken`."""
    if not await people.add_agent(session, agent, password_hash):
        raise LoginTaken
    await outbox.add(session, listed_agent(agent, stamp))


async def groups_named(
    session: AsyncSession, shop_id: ShopId, codes: tuple[str, ...]
) -> tuple[SkillGroupId, ...]:
    """Return the shop's skill groups of these codes. Raises `UnknownGroup`."""
    known = {group.code: group.id for group in await people.groups_of_shop(session, shop_id)}
    missing = [code for code in codes if code not in known]
    if missing:
        raise UnknownGroup(f"Create {missing[0]} first, or leave it out.")
    return tuple(sorted({known[code] for code in codes}))
