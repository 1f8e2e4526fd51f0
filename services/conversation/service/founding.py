"""What has to be there before anybody can sign in: the platform's own shop, the first people.

Each finds what is there already and changes none of it.
"""

from dataclasses import dataclass

from contracts.people import PLATFORM, PersonId, Role, ShopId
from kit.clock import Clock
from kit.ids import Ids, derived_id
from kit.postgres import Database
from kit.web.auth import Passwords
from services.conversation.domain import Stamp
from services.conversation.domain.people import Agent, Shop
from services.conversation.repository import people
from services.conversation.service import joining
from services.conversation.service.sessions import ShopSecrets


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
            await people.add_shop(session, Shop(PLATFORM, name="PeakDesk"))

    async def shop(self, shop: Shop) -> bool:
        """Make a shop with the usual groups; False if it is there."""
        async with self.db.write(shop.id) as session:
            return await joining.found_shop(session, shop, self._stamp())

    async def person(self, person: Person) -> bool:
        """Make a member of staff; False if the login is there."""
        async with self.db.read_across("a login names no shop") as session:
            if await people.find_login(session, person.login) is not None:
                return False
            groups = await people.groups_of_shop(session, person.shop_id)
        chats = person.role is Role.AGENT
        agent = Agent(
            id=PersonId(derived_id("staff", person.login)),
            shop_id=person.shop_id,
            login=person.login,
            name=person.name,
            role=person.role,
            active=True,
            capacity=person.capacity,
            skill_group_ids=(
                tuple(g.id for g in groups if g.code in joining.GROUPS) if chats else ()
            ),
        )
        password_hash = await self.passwords.hash(person.password)
        async with self.db.write(person.shop_id) as session:
            await joining.enlist(session, agent, password_hash, self._stamp())
        return True

    def _stamp(self) -> Stamp:
        return Stamp(self.clock.now(), self.ids)
