"""The platform's administrator, who makes shops: whom a deployment needs before anybody signs in.

Run once the migrations are through; a second run finds him and changes nothing, his password least.
"""

import asyncio
import json
from typing import Final

from pydantic import Field, SecretStr

from contracts.people import PLATFORM, Role
from kit.clock import Clock, SystemClock
from kit.ids import Uuid7Ids
from kit.postgres import Database
from kit.settings import load
from kit.web.auth import Passwords
from services.conversation.settings import Settings
from services.conversation.shops.founding import Founding, Person
from services.conversation.shops.secrets import ShopSecrets

LOGIN: Final = "admin"


class AdministratorSettings(Settings):
    """What the first run is told besides the service's own settings."""

    seed_platform_password: SecretStr = Field(min_length=8)
    """The administrator's password, until he changes it."""


async def appoint(founding: Founding, settings: AdministratorSettings) -> bool:
    """Make the platform's scope and its administrator; False if he is there."""
    await founding.platform()
    password = settings.seed_platform_password.get_secret_value()
    return await founding.person(
        Person(LOGIN, "PeakDesk", Role.ADMIN, password, PLATFORM, capacity=0)
    )


def founding_on(
    db: Database, settings: Settings, *, clock: Clock, passwords: Passwords
) -> Founding:
    """Return the use cases that found a platform."""
    secrets = ShopSecrets(settings.shop_secret_key)
    return Founding(db, clock, Uuid7Ids(clock), passwords, secrets)


def founding_database(settings: Settings, name: str) -> Database:
    """Return a small pool for a program that founds and ends."""
    url = settings.database_url.get_secret_value()
    return Database(url, schema="conversation", pool_size=3, name=f"peakdesk/{name}")


async def _main(settings: AdministratorSettings) -> None:
    db = founding_database(settings, "administrator")
    founding = founding_on(db, settings, clock=SystemClock(), passwords=settings.passwords())
    try:
        created = await appoint(founding, settings)
    finally:
        await db.close()
    print(json.dumps({"login": LOGIN, "created": int(created)}))  # noqa: T201 - a command's answer


if __name__ == "__main__":
    asyncio.run(_main(load(AdministratorSettings)))
