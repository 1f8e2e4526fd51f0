"""The audit of conversation: what leaders did about their shop, and who was refused a look."""

import pytest
from sqlalchemy import text

from contracts.people import Role
from kit.postgres import Database
from tests.infrastructure import Infrastructure, create_database, drop_database
from tests.integration.conversation.desk import Person, Platform, ok
from tests.suites.audit import AuditSuite, Done, House, Opens

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


class TestAudit(AuditSuite):
    """The suite, on shops and conversations."""

    @pytest.fixture
    def opens(self, platform: Platform) -> Opens:
        return lambda: _house(platform)


async def _house(platform: Platform) -> House:
    shop = await platform.shop()
    leader, buyer, curious = await shop.staff("supervisor"), await shop.buyer(), await shop.buyer()

    async def person(role: Role) -> Person:
        if role in {Role.BUYER, Role.ADMIN}:
            return buyer if role is Role.BUYER else shop.boss
        return leader if role is Role.SUPERVISOR else await shop.staff(role, state=None)

    talk = ok(await buyer.post("/v1/conversations"), 201)["id"]
    path, reason = f"/v1/shops/{shop.id}", "相声剧场，台词里有"
    policy = {"wording_actions": {"insult": "allow"}, "reason": reason}
    ok(await shop.boss.get(f"{path}/secret"))
    ok(await leader.put(f"{path}/wording-policy", policy))
    assert (await curious.get(f"/v1/conversations/{talk}")).status_code == 404
    ok(await shop.boss.post(f"{path}/secret-rotations"), 201)
    return House(
        shop_id=shop.id,
        path="/v1/audit/conversation",
        known=f"/v1/conversations/{talk}",
        refused="refused",
        done=[
            Done("staff.hired", shop.boss.id, leader.id, "supervisor"),
            Done("shop.secret_shown", shop.boss.id, shop.id),
            Done("shop.abuse_allowed", leader.id, shop.id, reason),
            Done("refused", curious.id, talk),
            Done("shop.secret_rotated", shop.boss.id, shop.id),
        ],
        person=person,
    )


WRITE = """
insert into audit (id, at, shop_id, actor_id, role, action, object_id, reason)
values (gen_random_uuid(), now(), 'shop', 'boss', 'admin', 'done', 'shop', :reason)
"""
"""As the release wrote that had no other columns."""

READ = "select actor_role, actor_shop_id, note from audit where reason is not distinct from :reason"


async def test_what_the_release_before_wrote_and_still_writes_is_read_like_the_rest(
    infra: Infrastructure,
) -> None:
    made = await create_database(infra)
    await made.migrate("conversation", revision="0006")
    database = Database(made.dsn("conversation"), schema="conversation")
    try:
        async with database.write_across("a test") as session:
            await session.execute(text(WRITE), {"reason": "before"})
        await made.migrate("conversation")
        async with database.write_across("a test") as session:
            await session.execute(text(WRITE), {"reason": None})
            before = (await session.execute(text(READ), {"reason": "before"})).one()
            after = (await session.execute(text(READ), {"reason": None})).one()
    finally:
        await database.close()
        await drop_database(infra, made.name)

    assert tuple(before) == ("admin", "shop", "before")
    assert tuple(after) == ("admin", "shop", "")
