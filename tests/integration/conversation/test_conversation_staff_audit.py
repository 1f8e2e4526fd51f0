"""What the audit of a shop tells of its staff: who hired, changed and dismissed whom."""

import asyncio
import uuid

import pytest

from tests.integration.conversation.desk import Platform, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SECRET = "a password that nobody may read"


async def test_the_audit_tells_who_hired_changed_and_dismissed_whom(platform: Platform) -> None:
    shop = await platform.shop()
    body = {"login": f"a.{uuid.uuid4()}", "password": SECRET, "name": "小陈", "role": "agent"}
    hired = ok(await shop.boss.post("/v1/staff", body | {"capacity": 10}), 201)["id"]
    path = f"/v1/staff/{hired}"

    ok(
        await shop.boss.patch(
            path, {"role": "supervisor", "capacity": 20, "password": f"{SECRET}!"}
        )
    )
    ok(await shop.boss.patch(path, {"active": False}))
    ok(await shop.boss.patch(path, {"active": True, "name": "小李"}))

    page = ok(await shop.boss.get("/v1/audit/conversation", object=hired))
    told = [(one["actor_id"], one["action"], one["note"]) for one in reversed(page["items"])]
    assert told == [
        (shop.boss.id, "staff.hired", "agent"),
        (shop.boss.id, "staff.changed", "role: agent → supervisor; capacity: 10 → 20; password"),
        (shop.boss.id, "staff.dismissed", ""),
        (shop.boss.id, "staff.reinstated", "name: 小陈 → 小李"),
    ]
    assert SECRET not in str(page)


async def test_what_is_refused_or_sent_twice_is_told_no_more_than_once(platform: Platform) -> None:
    shop = await platform.shop()
    body = {"login": f"a.{uuid.uuid4()}", "password": SECRET, "name": "小陈", "role": "agent"}
    key = str(uuid.uuid4())
    twice = await asyncio.gather(*(shop.boss.post("/v1/staff", body, key=key) for _ in range(2)))
    hired = next(ok(one, 201)["id"] for one in twice if one.status_code == 201)
    refused = await shop.boss.patch(f"/v1/staff/{hired}", {"role": "buyer"})

    page = ok(await shop.boss.get("/v1/audit/conversation", object=hired))
    assert refused.status_code == 422
    assert [one["action"] for one in page["items"]] == ["staff.hired"]
