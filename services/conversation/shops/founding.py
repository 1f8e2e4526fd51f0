"""How shops come to be, and what has to be there before anybody can sign in.

Each use case of the seed finds what is there already and changes none of it.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PLATFORM, PersonId, Role, ShopId, SkillGroupId
from kit import outbox
from kit.clock import Clock
from kit.ids import Ids, derived_id
from kit.postgres import Database
from kit.web.auth import Passwords
from services.conversation.domain import Stamp
from services.conversation.groups import repository as skill_groups
from services.conversation.groups.domain import SkillGroup
from services.conversation.shops import repository
from services.conversation.shops.domain import Shop, listed_shop
from services.conversation.shops.secrets import ShopSecrets
from services.conversation.staff import hiring
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import Agent

GROUPS: Final = {
    "pre_sale": "售前",
    "in_sale": "售中",
    "after_sale": "售后",
    "complaint": "投诉",
}
"""The skill groups that every shop starts with (C1)."""


async def found_shop(session: AsyncSession, shop: Shop, stamp: Stamp) -> bool:
    """Insert a shop with the usual groups; False if it is there already."""
    if not await repository.add_shop(session, shop):
        return False
    for code, name in GROUPS.items():
        group = SkillGroup(SkillGroupId(stamp.ids.new()), shop.id, code, name)
        await skill_groups.add_group(session, group)
    await outbox.add(session, listed_shop(shop, stamp))
    return True


@dataclass(frozen=True)
class Person:
    """Somebody to be there."""

    login: str
    name: str
    role: Role
    password: str
    shop_id: ShopId
    capacity: int = 8


@dataclass(frozen=True)
class Founding:
    """Use cases of the seed. An id is derived from its login, so that every run makes the same."""

    db: Database
    clock: Clock
    ids: Ids
    passwords: Passwords
    shop_secrets: ShopSecrets

    async def platform(self) -> None:
        """Make the scope that the platform's own people belong to."""
        async with self.db.write(PLATFORM) as session:
            await repository.add_shop(session, Shop(PLATFORM, name="PeakDesk"))

    async def shop(self, shop: Shop) -> bool:
        """Make a shop with the usual groups; False if it is there."""
        async with self.db.write(shop.id) as session:
            return await found_shop(session, shop, self._stamp())

    async def person(self, person: Person) -> bool:
        """Make a member of staff; False if the login is there."""
        async with self.db.read_across("a login names no shop") as session:
            if await staff.find_login(session, person.login) is not None:
                return False
            groups = await skill_groups.groups_of_shop(session, person.shop_id)
        chats = person.role is Role.AGENT
        agent = Agent(
            id=PersonId(derived_id("staff", person.login)),
            shop_id=person.shop_id,
            login=person.login,
            name=person.name,
            role=person.role,
            active=True,
            capacity=person.capacity,
            skill_group_ids=(tuple(g.id for g in groups if g.code in GROUPS) if chats else ()),
        )
        password_hash = await self.passwords.hash(person.password)
        async with self.db.write(person.shop_id) as session:
            await hiring.enlist(session, agent, password_hash, self._stamp())
        return True

    def _stamp(self) -> Stamp:
        return Stamp(self.clock.now(), self.ids)
