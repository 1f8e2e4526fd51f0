"""First things first: the platform's administrator and a demo shop with its staff, made once.

Run by `peakdesk seed` after the migrations. A second run finds everything and changes nothing.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from pydantic import Field, SecretStr

from contracts.people import PLATFORM, PersonId, Role, ShopId
from kit.clock import SystemClock
from kit.ids import Uuid7Ids, derived_id
from kit.postgres import Database
from kit.settings import load
from kit.web.auth import Passwords
from services.conversation.domain import Stamp
from services.conversation.domain.people import Agent, Shop
from services.conversation.repository import people
from services.conversation.service.allowed_abuse import AllowedAbuse
from services.conversation.service.routing import Routing
from services.conversation.service.sessions import ShopSecrets
from services.conversation.service.staff import GROUPS, Staff
from services.conversation.settings import ConversationSettings

DEMO_SHOP: Final = ShopId(derived_id("shop", "demo"))
PLATFORM_LOGIN: Final = "admin"


class SeedSettings(ConversationSettings):
    """What a seed is told besides the service's own settings. Passwords are the instance's own."""

    seed_platform_password: SecretStr = Field(min_length=8)
    seed_admin_password: SecretStr = Field(min_length=8)
    seed_supervisor_password: SecretStr = Field(min_length=8)
    seed_agent_password: SecretStr = Field(min_length=8)
    seed_agents: int = Field(default=8, ge=1, le=200)
    seed_shop_name: str = "示范旗舰店"


@dataclass(frozen=True)
class Person:
    """Somebody to be there."""

    login: str
    name: str
    role: Role
    password: str
    shop_id: ShopId = DEMO_SHOP
    capacity: int = 8


@dataclass(frozen=True)
class Seeded:
    """What is there after a seed; `created` counts what was not there before."""

    shop_id: ShopId
    shop_secret: str
    logins: tuple[str, ...]
    created: int


async def seed(db: Database, staff: Staff, settings: SeedSettings) -> Seeded:
    """Make the platform's administrator and the demo shop unless they are there."""
    shop = Shop(DEMO_SHOP, name=settings.seed_shop_name)
    stamp = staff.routing.stamp()
    async with db.write() as session:
        await people.add_shop(session, Shop(PLATFORM, name="PeakDesk"))
        created = int(await staff.found_shop(session, shop, stamp))
    everybody = _everybody(settings)
    for person in everybody:
        created += await _ensure(db, staff, person, stamp)
    return Seeded(
        shop_id=shop.id,
        shop_secret=staff.shop_secrets.of(shop.id, shop.secret_version),
        logins=tuple(person.login for person in everybody),
        created=created,
    )


async def _ensure(db: Database, staff: Staff, person: Person, stamp: Stamp) -> bool:
    async with db.read() as session:
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
        skill_group_ids=tuple(g.id for g in groups if g.code in GROUPS) if chats else (),
    )
    password_hash = await staff.passwords.hash(person.password)
    async with db.write() as session:
        await staff.enlist(session, agent, password_hash, stamp)
    return True


def _everybody(settings: SeedSettings) -> list[Person]:
    agents = settings.seed_agent_password.get_secret_value()
    leader = settings.seed_supervisor_password.get_secret_value()
    admin = settings.seed_admin_password.get_secret_value()
    platform = settings.seed_platform_password.get_secret_value()
    return [
        Person(PLATFORM_LOGIN, "PeakDesk", Role.ADMIN, platform, PLATFORM, capacity=0),
        Person("admin@demo", "店长", Role.ADMIN, admin, capacity=0),
        Person("supervisor@demo", "客服主管", Role.SUPERVISOR, leader, capacity=0),
        *(
            Person(f"agent{number}@demo", f"客服{number}号", Role.AGENT, agents)
            for number in range(1, settings.seed_agents + 1)
        ),
    ]


async def _main(settings: SeedSettings) -> None:
    clock = SystemClock()
    db = Database(settings.database_url.get_secret_value(), schema="conversation", pool_size=3)
    staff = Staff(
        Routing(clock, Uuid7Ids(clock)),
        Passwords(),
        ShopSecrets(settings.shop_secret_key),
        AllowedAbuse(),
    )
    try:
        done = await seed(db, staff, settings)
    finally:
        await db.close()
    shown = {
        "shop_id": done.shop_id,
        "shop_secret": done.shop_secret,
        "logins": done.logins,
        "created": done.created,
    }
    print(json.dumps(shown))  # noqa: T201 - the answer of a command


if __name__ == "__main__":
    asyncio.run(_main(load(SeedSettings)))
