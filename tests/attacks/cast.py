"""Two shops that attacks play between, with somebody of every role, made once per session.

Nobody here may be changed by a test: who changes somebody hires one. Tokens are signed here, with
the platform's own key: signing a dozen people in costs a busy machine half a minute of hashing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.people import PLATFORM, Role
from rehearsal.api import Api, Session
from tests.attacks.forging import Forger
from tests.platform import Platform
from tests.world import Person, Shop, World

STAFF = tuple(role for role in Role if role not in {Role.BUYER, Role.ADMIN})
FEW = (Role.AGENT, Role.SUPERVISOR)
AUDITS = ("/v1/audit/conversation", "/v1/audit/orders", "/v1/audit/aftersales")


@dataclass(frozen=True)
class House:
    """One shop: who is who, and a conversation that its buyer has open."""

    id: str
    people: Mapping[Role, str]
    conversation: str
    platform: Platform

    def token(self, role: Role) -> str:
        """Return a fresh token of the person of this role."""
        return self.forger(role).token()

    def forger(self, role: Role) -> Forger:
        """Return who signs tokens of the person of this role."""
        return Forger.at(self.platform, sub=self.people[role], role=role, shop=self.id)

    def shop(self, world: World) -> Shop:
        """Return the shop with its administrator, to hire people of a test's own."""
        boss = Session(self.people[Role.ADMIN], self.token(Role.ADMIN), "")
        return Shop(self.id, world.person(boss, self.id))


@dataclass(frozen=True)
class Cast:
    """Our shop and the one that is nobody's business."""

    ours: House
    theirs: House
    admin_id: str

    def administrator(self) -> Session:
        """Return a session of the platform's administrator."""
        who = {"sub": self.admin_id, "role": Role.ADMIN, "shop": PLATFORM}
        return Session(self.admin_id, Forger.at(self.ours.platform, **who).token(), "")


async def gather(platform: Platform) -> Cast:
    """Open both shops and hire everybody."""
    async with Api(platform.url) as api:
        admin = await api.sign_in(*platform.admin)
        world = World(api, admin)
        ours, theirs = await world.shop(), await world.shop()
        return Cast(
            await _house(world, ours, platform, roles=STAFF),
            await _house(world, theirs, platform, roles=FEW),
            admin.person_id,
        )


async def victim(platform: Platform) -> House:
    """Open a shop with somebody of every role for a test that leaves none of them as he was."""
    async with Api(platform.url) as api:
        world = World(api, await api.sign_in(*platform.admin))
        return await _house(world, await world.shop(), platform, roles=STAFF)


async def _house(world: World, shop: Shop, platform: Platform, *, roles: tuple[Role, ...]) -> House:
    buyer = await world.visitor(shop)
    # One after another: each costs a hash, and they would only wait for one another.
    hired = [await _hire(shop.boss, role) for role in roles]
    opened = await buyer.call("POST", "/v1/conversations", {})
    people = {Role.ADMIN: shop.boss.id, Role.BUYER: buyer.id}
    people |= {role: str(one["id"]) for role, one in zip(roles, hired, strict=True)}
    return House(shop.id, people, str(opened["id"]), platform)


async def _hire(boss: Person, role: Role) -> dict[str, Any]:
    body = {"login": f"{role}.{uuid.uuid4()}", "password": str(uuid.uuid4()), "name": "小陈"}
    hired: dict[str, Any] = await boss.call("POST", "/v1/staff", body | {"role": role})
    return hired
