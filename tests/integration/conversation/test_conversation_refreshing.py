"""A refresh beside whatever ends a person's sessions: it comes wholly before or wholly after (H44).

Attack table, rows 8 and 9.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from tests.integration.conversation.desk import PASSWORD, Person, Platform, Shop, code, ok
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

Ending = Callable[[Shop, Person], Coroutine[Any, Any, httpx2.Response]]


async def _sign_out(shop: Shop, person: Person) -> httpx2.Response:
    return await shop.platform.call("DELETE", "/v1/sessions", person.token)


async def _new_password(shop: Shop, person: Person) -> httpx2.Response:
    return await shop.boss.patch(f"/v1/staff/{person.id}", {"password": PASSWORD + "!"})


async def _dismiss(shop: Shop, person: Person) -> httpx2.Response:
    return await shop.boss.patch(f"/v1/staff/{person.id}", {"active": False})


async def _lower(shop: Shop, person: Person) -> httpx2.Response:
    return await shop.boss.patch(f"/v1/staff/{person.id}", {"role": "clerk"})


ENDINGS = pytest.mark.parametrize("ending", [_sign_out, _new_password, _dismiss, _lower])


@ENDINGS
async def test_a_refresh_that_writes_as_the_sessions_end_survives_not(
    platform: Platform, ending: Ending
) -> None:
    """The refresh has read its token and is held before its first write; then the end comes."""
    shop = await platform.shop()
    person = await shop.staff(state=None)
    async with _held(platform, "lock table refresh_tokens in share mode"):
        refresh = asyncio.create_task(platform.refresh(person.refresh_token))
        await eventually(lambda: _waiting(platform, 1))
        end = asyncio.create_task(ending(shop, person))
        await eventually(lambda: _waiting(platform, 2))

    ok(await end)
    renewed = ok(await refresh)
    assert code(await platform.refresh(renewed["refresh_token"])) == (401, "bad_token")
    assert await _tokens(platform, person) == 0


@ENDINGS
async def test_a_refresh_that_comes_as_the_sessions_end_finds_no_token(
    platform: Platform, ending: Ending
) -> None:
    shop = await platform.shop()
    person = await shop.staff(state=None)
    locking = f"select 1 from staff where id = '{person.id}' for update"
    async with _held(platform, locking):
        end = asyncio.create_task(ending(shop, person))
        await eventually(lambda: _waiting(platform, 1))
        refresh = asyncio.create_task(platform.refresh(person.refresh_token))
        await eventually(lambda: _waiting(platform, 2))

    ok(await end)
    assert code(await refresh) == (401, "bad_token")
    assert await _tokens(platform, person) == 0


async def test_a_buyer_signs_out_beside_his_refresh(platform: Platform) -> None:
    shop = await platform.shop()
    buyer = await shop.buyer()
    async with _held(platform, "lock table refresh_tokens in share mode"):
        refresh = asyncio.create_task(platform.refresh(buyer.refresh_token))
        await eventually(lambda: _waiting(platform, 1))
        end = asyncio.create_task(_sign_out(shop, buyer))
        await eventually(lambda: _waiting(platform, 2))

    ok(await end)
    await refresh
    assert await _tokens(platform, buyer) == 0


@pytest.mark.parametrize("kept", [True, False], ids=["created_at", "a row of the release before"])
async def test_a_token_older_than_the_end_of_the_sessions_is_worth_nothing(
    platform: Platform, *, kept: bool
) -> None:
    """A row that came back, by a restore or from a process that did not know the order of locks."""
    person = await (await platform.shop()).staff(state=None)
    ended = platform.service.clock.now() + timedelta(seconds=1)
    async with platform.service.db.write_across("a test") as session:
        wanted = {"id": person.id, "at": ended}
        await session.execute(text("update staff set not_before = :at where id = :id"), wanted)
        if not kept:
            await session.execute(
                text("update refresh_tokens set created_at = null where subject = :id"),
                {"id": person.id},
            )

    assert code(await platform.refresh(person.refresh_token)) == (401, "bad_token")


@asynccontextmanager
async def _held(platform: Platform, locking: str) -> AsyncIterator[None]:
    """Hold a lock for the block."""
    async with platform.service.db.write_across("a test") as session:
        await session.execute(text(locking))
        yield


async def _waiting(platform: Platform, count: int) -> bool:
    """Tell whether so many of the service's transactions wait for a lock."""
    async with platform.service.db.read_across("a test") as session:
        found = await session.execute(
            text(
                "select count(distinct pid) from pg_locks where not granted and database ="
                " (select oid from pg_database where datname = current_database())"
                " or not granted and locktype = 'transactionid'"
            )
        )
        return bool(found.scalar_one() == count)


async def _tokens(platform: Platform, person: Person) -> int:
    async with platform.service.db.read_across("a test") as session:
        found = await session.execute(
            text("select count(*) from refresh_tokens where subject = :id"), {"id": person.id}
        )
        return int(found.scalar_one())


async def test_sessions_end_as_of_the_moment_when_the_person_was_locked(platform: Platform) -> None:
    """A refresh before may hold him over the turn of a second, in which its token is issued."""
    shop = await platform.shop()
    buyer, service = await shop.buyer(), platform.service
    async with service.db.write(shop.id) as session:
        held = text("select 1 from buyers where id = :id for update")
        await session.execute(held, {"id": buyer.id})
        leaving = asyncio.create_task(_sign_out(shop, buyer))
        await asyncio.sleep(1.2)
        held_until = service.clock.now()
    ok(await leaving)

    async with service.db.read(shop.id) as session:
        ended = text("select not_before from buyers where id = :id")
        assert (await session.execute(ended, {"id": buyer.id})).scalar_one() > held_until
