"""What one person may do so often, or so much, that others would feel it (attack table, row 58)."""

import asyncio
from collections import Counter

import httpx2
import pytest
from sqlalchemy import text

from services.conversation.access.routes import BUYER_BURST, POLICY_COST, STAFF_BURST, STATE_COST
from services.conversation.groups.service import GROUPS_LIMIT
from services.conversation.shops.founding import GROUPS
from tests.integration.conversation.desk import PASSWORD, Platform, code, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

STATES_LEFT = int(POLICY_COST / STATE_COST) + 6
"""States that a leader may still set whom a policy is refused, and some more."""


AT_ONCE = 7
"""Below the pool: who waits for a connection is answered 503, which is another test."""


async def test_one_buyer_gives_only_so_many_commands(platform: Platform) -> None:
    """Each has a key of its own, under which an answer is kept for a day."""
    shop = await platform.shop()
    bot, honest = await shop.buyer(), await shop.buyer()
    tries = int(BUYER_BURST) + 5

    answers: list[httpx2.Response] = []
    while len(answers) < tries:
        wave = [bot.post("/v1/conversations") for _ in range(AT_ONCE)]
        answers += await asyncio.gather(*wave)

    counted = Counter(answer.status_code for answer in answers)
    assert set(counted) == {201, 429}
    assert counted[429] >= 3
    ok(await honest.post("/v1/conversations"), 201)
    async with platform.service.db.read_across("a test") as session:
        kept = await session.execute(
            text("select count(*) from idempotency where subject = :subject"),
            {"subject": f"{shop.id}:{bot.id}"},
        )
        assert kept.scalar_one() == counted[201]


async def test_one_leader_sends_the_whole_shop_round_only_so_often(platform: Platform) -> None:
    """A policy goes to every gateway and monitor, a state takes the shop's turn at routing."""
    shop = await platform.shop()
    leader, calm = await shop.staff("supervisor"), await shop.staff(state=None)
    path, tries = f"/v1/shops/{shop.id}/wording-policy", int(STAFF_BURST / POLICY_COST) + 1

    answers = [await leader.put(path, {}) for _ in range(tries)]
    own = "/v1/agents/me/state"
    states = [await leader.put(own, {"state": "online"}) for _ in range(STATES_LEFT)]

    assert [answer.status_code for answer in answers] == [200] * (tries - 1) + [429]
    assert code(states[-1]) == (429, "too_many")
    await calm.be("online")


async def test_a_shop_has_only_so_many_skill_groups(platform: Platform) -> None:
    shop = await platform.shop()
    async with platform.service.db.write_across("a test") as session:
        await session.execute(
            text(
                "insert into skill_groups (id, shop_id, code, name) select gen_random_uuid(),"
                " :shop, 'g' || n, 'g' from generate_series(1, :count) n"
            ),
            {"shop": shop.id, "count": GROUPS_LIMIT - len(GROUPS)},
        )

    refused = await shop.boss.post("/v1/skill-groups", {"code": "one_more", "name": "n"})

    assert code(refused) == (409, "too_many_groups")


@pytest.mark.parametrize(
    "zone",
    [
        "Mars/Olympus",
        "../../etc/passwd",
        "",
        "asia shanghai",
        "Asia",
        "Factory",
        "localtime",
        "posixrules",
        "posix/Asia/Shanghai",
        "right/Asia/Shanghai",
    ],
)
async def test_a_shop_is_in_a_time_zone_that_exists(platform: Platform, zone: str) -> None:
    assert platform.admin is not None
    wish = {"name": "店", "time_zone": zone, "admin_login": "boss", "admin_password": PASSWORD}

    assert code(await platform.admin.post("/v1/shops", wish)) == (422, "invalid")


async def test_a_login_is_more_than_blanks(platform: Platform) -> None:
    shop = await platform.shop()
    wish = {"login": "    ", "password": PASSWORD, "name": "n", "role": "agent"}

    assert code(await shop.boss.post("/v1/staff", wish)) == (422, "invalid")
