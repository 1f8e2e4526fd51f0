"""A shop is founded once and shown with its secret to whoever founded it; no table keeps that."""

import asyncio
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from tests.integration.conversation.desk import PASSWORD, Platform, Shop, code, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


def founding(platform: Platform) -> dict[str, str]:
    login = f"boss.{platform.service.ids.new()}"
    return {"name": "店", "admin_login": login, "admin_password": PASSWORD}


async def found(platform: Platform, body: dict[str, str], *, key: str) -> httpx2.Response:
    assert platform.admin is not None
    return await platform.admin.post("/v1/shops", body, key=key)


async def test_a_repeat_shows_the_secret_that_no_stored_answer_holds(platform: Platform) -> None:
    body = founding(platform)

    first = await found(platform, body, key="once")
    again = await found(platform, body, key="once")

    made = ok(first, 201)
    assert ok(again, 201) == made
    assert again.headers["idempotent-replayed"] == "true"
    assert len(made["secret"]) == 64
    kept = await stored(platform, made["id"])
    assert kept
    assert not [one for one in kept if made["secret"] in one]


async def test_the_repeated_secret_lets_buyers_in_and_is_the_first_one_after_a_rotation(
    platform: Platform,
) -> None:
    body = founding(platform)
    first = ok(await found(platform, body, key="rotated"), 201)
    boss = await platform.sign_in(body["admin_login"])
    ok(await boss.post(f"/v1/shops/{first['id']}/secret-rotations"), 201)

    again = ok(await found(platform, body, key="rotated"), 201)

    assert again == first
    buyer = await Shop(platform, first["id"], again["secret"], boss).buyer()
    assert buyer.shop_id == first["id"]


async def test_ten_repeats_at_once_found_one_shop_and_another_body_none(
    platform: Platform,
) -> None:
    body = founding(platform)

    answers = await asyncio.gather(*(found(platform, body, key="raced") for _ in range(10)))
    other = await found(platform, body | {"name": "另一家"}, key="raced")

    assert {one.status_code for one in answers} <= {201, 409}
    made: list[dict[str, Any]] = [one.json() for one in answers if one.status_code == 201]
    assert made
    assert all(one == made[0] for one in made)
    assert code(other) == (422, "idempotency_key_reused")


async def stored(platform: Platform, shop_id: str) -> list[str]:
    """Return the answers kept for repeats that are about this shop."""
    query = text("select convert_from(body, 'UTF8') from idempotency")
    async with platform.service.db.read_across("a test") as session:
        kept = (await session.execute(query)).scalars().all()
    return [one for one in kept if shop_id in one]
