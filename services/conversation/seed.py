"""First things first: the platform's administrator and a demo shop with its staff, made once.

Run by `peakdesk seed` after the migrations. A second run finds everything and changes nothing.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from pydantic import Field, SecretStr

from contracts.people import Role, ShopId
from kit.clock import SystemClock
from kit.ids import derived_id
from kit.settings import load
from services.conversation.administrator import (
    LOGIN,
    AdministratorSettings,
    appoint,
    founding_database,
    founding_on,
)
from services.conversation.shops.domain import Shop
from services.conversation.shops.founding import Founding, Person

DEMO_SHOP: Final = ShopId(derived_id("shop", "demo"))


class SeedSettings(AdministratorSettings):
    """What a seed is told besides the administrator's. Passwords are the instance's own."""

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
    created = int(await appoint(founding, settings))
    created += await founding.shop(shop)
    everybody = _everybody(settings)
    for person in everybody:
        created += await founding.person(person)
    return Seeded(
        shop_id=shop.id,
        shop_secret=founding.shop_secrets.of(shop.id, shop.secret_version),
        logins=(LOGIN, *(person.login for person in everybody)),
        created=created,
    )


def _everybody(settings: SeedSettings) -> list[Person]:
    agents = settings.seed_agent_password.get_secret_value()
    leader = settings.seed_supervisor_password.get_secret_value()
    admin = settings.seed_admin_password.get_secret_value()
    return [
        Person("admin@demo", "店长", Role.ADMIN, admin, DEMO_SHOP, capacity=0),
        Person("supervisor@demo", "客服主管", Role.SUPERVISOR, leader, DEMO_SHOP, capacity=0),
        *(
            Person(f"agent{number}@demo", f"客服{number}号", Role.AGENT, agents, DEMO_SHOP)
            for number in range(1, settings.seed_agents + 1)
        ),
    ]


async def _main(settings: SeedSettings) -> None:
    db = founding_database(settings, "seed")
    founding = founding_on(db, settings, clock=SystemClock(), passwords=settings.passwords())
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
