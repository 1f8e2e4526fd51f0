"""First things first: the platform's administrator and a demo shop with its staff, made once.

Run by `peakdesk seed` after the migrations. A second run finds everything and changes nothing.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from pydantic import Field, SecretStr

from contracts.people import PLATFORM, Role, ShopId
from kit.clock import Clock, SystemClock
from kit.ids import Uuid7Ids, derived_id
from kit.postgres import Database
from kit.settings import load
from kit.web.auth import Passwords
from services.conversation.settings import Settings
from services.conversation.shops.domain import Shop
from services.conversation.shops.founding import Founding, Person
from services.conversation.shops.secrets import ShopSecrets

DEMO_SHOP: Final = ShopId(derived_id("shop", "demo"))
PLATFORM_LOGIN: Final = "admin"


class SeedSettings(Settings):
    """What a seed is told besides the service's own settings. Passwords are the instance's own."""

    seed_platform_password: SecretStr = Field(min_length=8)
    seed_admin_password: SecretStr = Field(min_length=8)
    seed_supervisor_password: SecretStr = Field(min_length=8)
    seed_agent_password: SecretStr = Field(min_length=8)
    seed_agents: int = Field(default=8, ge=1, le=200)
    seed_shop_name: str = "示范旗舰店"


@dataclass(frozen=True)
class Seeded:
    """What is there after a seed; `created` counts what was not there before."""

    shop_id: ShopId
    shop_secret: str
    logins: tuple[str, ...]
    created: int


async def seed(founding: Founding, settings: SeedSettings) -> Seeded:
    """Make the platform's administrator and the demo shop unless they are there."""
    shop = Shop(DEMO_SHOP, name=settings.seed_shop_name)
    await founding.platform()
    created = int(await founding.shop(shop))
    everybody = _everybody(settings)
    for person in everybody:
        created += await founding.person(person)
    return Seeded(
        shop_id=shop.id,
        shop_secret=founding.shop_secrets.of(shop.id, shop.secret_version),
        logins=tuple(person.login for person in everybody),
        created=created,
    )


def founding_on(
    db: Database, settings: SeedSettings, *, clock: Clock, passwords: Passwords
) -> Founding:
    """Return the use cases that `seed` calls."""
    secrets = ShopSecrets(settings.shop_secret_key)
    return Founding(db, clock, Uuid7Ids(clock), passwords, secrets)


def _everybody(settings: SeedSettings) -> list[Person]:
    agents = settings.seed_agent_password.get_secret_value()
    leader = settings.seed_supervisor_password.get_secret_value()
    admin = settings.seed_admin_password.get_secret_value()
    platform = settings.seed_platform_password.get_secret_value()
    return [
        Person(PLATFORM_LOGIN, "PeakDesk", Role.ADMIN, platform, PLATFORM, capacity=0),
        Person("admin@demo", "店长", Role.ADMIN, admin, DEMO_SHOP, capacity=0),
        Person("supervisor@demo", "客服主管", Role.SUPERVISOR, leader, DEMO_SHOP, capacity=0),
        *(
            Person(f"agent{number}@demo", f"客服{number}号", Role.AGENT, agents, DEMO_SHOP)
            for number in range(1, settings.seed_agents + 1)
        ),
    ]


async def _main(settings: SeedSettings) -> None:
    db = Database(
        settings.database_url.get_secret_value(),
        schema="conversation",
        pool_size=3,
        name="peakdesk/seed",
    )
    founding = founding_on(db, settings, clock=SystemClock(), passwords=Passwords())
    try:
        done = await seed(founding, settings)
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
