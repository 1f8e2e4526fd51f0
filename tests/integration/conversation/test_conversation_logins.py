"""Logins under attack: guesses side by side, a lock that hurts nobody else, callers who leave.

H44; attack table, rows 10 and 61.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import text
from typing_extensions import override

from contracts.people import PersonId
from kit.web.auth import Passwords
from services.conversation.login import repository as origins
from services.conversation.login.limits import LINE, LOGIN_ATTEMPTS, PAIR_ATTEMPTS
from services.conversation.login.repository import ORIGINS_LIMIT
from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import PASSWORD, Platform, code, ok, started
from tests.waiting import PATIENCE_S, eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

HOME, OFFICE, EVIL = "203.0.113.1", "203.0.113.2", "198.51.100.66"


class HeldPasswords(Passwords):
    """Passwords whose checks wait while `held`, and are counted."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, rounds=1)
        self.checked = 0
        self.permits = asyncio.Semaphore(0)
        self.held = False

    @override
    async def verify(self, password: str, stored: str | None) -> bool:
        self.checked += 1
        if self.held:
            await self.permits.acquire()
        return await super().verify(password, stored)

    def hold(self) -> None:
        """Let nobody's check end from now on."""
        self.checked, self.held, self.permits = 0, True, asyncio.Semaphore(0)

    def has_checked(self, least: int) -> bool:
        """Tell whether so many checks have begun."""
        return self.checked >= least

    def release(self) -> None:
        """Let all go on."""
        self.held = False
        for _ in range(1_000):
            self.permits.release()


@pytest.fixture(scope="module")
def passwords() -> HeldPasswords:
    """What the service checks passwords with."""
    return HeldPasswords()


@pytest.fixture(autouse=True)
def nobody_is_held(passwords: HeldPasswords) -> Iterator[None]:
    """Let a test that failed hold none of the next one's checks."""
    yield
    passwords.release()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(settings: SeedSettings, passwords: HeldPasswords) -> AsyncIterator[Platform]:
    """A service of these tests alone: its counters see their addresses."""
    async with started(settings, passwords=passwords) as running_platform:
        yield running_platform


async def _login(platform: Platform, login: str, password: str, address: str) -> httpx2.Response:
    body = {"login": login, "password": password}
    return await platform.call("POST", "/v1/sessions", body=body, address=address)


async def test_guesses_side_by_side_are_no_more_than_guesses_in_a_row(
    platform: Platform, passwords: HeldPasswords
) -> None:
    shop = await platform.shop()
    passwords.hold()

    guesses = [
        asyncio.create_task(_login(platform, shop.boss.login, f"guess {n}", "198.51.100.1"))
        for n in range(31)
    ]
    await eventually(lambda: _done(guesses) == 31 - PAIR_ATTEMPTS)
    await eventually(lambda: passwords.turns._waiting == PAIR_ATTEMPTS - 2)
    passwords.release()
    answers = await asyncio.gather(*guesses)

    counted = Counter(answer.status_code for answer in answers)
    assert counted == {401: PAIR_ATTEMPTS, 429: 31 - PAIR_ATTEMPTS}
    assert passwords.checked == PAIR_ATTEMPTS
    assert code(await _login(platform, shop.boss.login, PASSWORD, "198.51.100.1"))[0] == 429


async def test_others_sign_in_while_one_address_guesses(
    platform: Platform, passwords: HeldPasswords
) -> None:
    shop = await platform.shop()
    passwords.hold()
    crowd = [
        asyncio.create_task(_login(platform, f"login {n}", "guess", "198.51.100.2"))
        for n in range(60)
    ]
    await eventually(lambda: _done(crowd) == 60 - LINE - 2)

    honest = asyncio.create_task(_login(platform, shop.boss.login, PASSWORD, HOME))
    await eventually(lambda: passwords.turns._waiting == LINE + 1)
    for checked in range(3, 7):
        passwords.permits.release()
        await eventually(partial(passwords.has_checked, checked))

    assert (await asyncio.wait_for(honest, PATIENCE_S)).status_code == 201
    assert sum(not task.done() for task in crowd) >= LINE - 4
    passwords.release()
    answers = Counter(answer.status_code for answer in await asyncio.gather(*crowd))
    assert answers == {401: LINE + 2, 429: 60 - LINE - 2}


async def test_a_crowd_at_the_door_takes_no_database_connections(
    platform: Platform, passwords: HeldPasswords
) -> None:
    shop = await platform.shop()
    async with platform.service.db.write_across("a test") as session:
        await session.execute(text("lock table staff in access exclusive mode"))
        crowd = [
            asyncio.create_task(_login(platform, f"crowd {n}", "guess", "198.51.100.7"))
            for n in range(20)
        ]
        await eventually(lambda: passwords.turns._waiting == 18)
        assert ok(await shop.boss.get(f"/v1/shops/{shop.id}"))["id"] == shop.id

    assert {answer.status_code for answer in await asyncio.gather(*crowd)} == {401}


async def test_of_an_address_where_an_attempt_failed_two_wait(
    platform: Platform, passwords: HeldPasswords
) -> None:
    shop = await platform.shop()
    suspect = "198.51.100.3"
    assert code(await _login(platform, shop.boss.login, "guess", suspect))[0] == 401
    passwords.hold()

    tried = [
        asyncio.create_task(_login(platform, f"somebody {n}", "guess", suspect)) for n in range(9)
    ]
    await eventually(lambda: _done(tried) == 9 - 2 - 2)
    await eventually(lambda: passwords.turns._waiting == 2)
    passwords.release()

    answers = await asyncio.gather(*tried)
    assert Counter(answer.status_code for answer in answers) == {401: 4, 429: 5}


async def test_a_team_signs_in_behind_one_address(
    platform: Platform, passwords: HeldPasswords
) -> None:
    shop = await platform.shop()
    team = [await shop.staff(state=None) for _ in range(6)]
    passwords.hold()
    coming = [asyncio.create_task(_login(platform, one.login, PASSWORD, OFFICE)) for one in team]
    await eventually(lambda: passwords.checked == 2)
    passwords.release()

    assert {answer.status_code for answer in await asyncio.gather(*coming)} == {201}


async def test_wrong_words_from_elsewhere_lock_nobody_out(platform: Platform) -> None:
    shop = await platform.shop()
    colleague = await shop.staff(state=None)

    for n in range(PAIR_ATTEMPTS):
        await _login(platform, colleague.login, f"guess {n}", EVIL)

    assert code(await _login(platform, colleague.login, PASSWORD, EVIL)) == (429, "too_many")
    assert (await _login(platform, colleague.login, PASSWORD, HOME)).status_code == 201


async def test_who_has_signed_in_from_here_comes_in_whoever_guesses_elsewhere(
    platform: Platform, settings: SeedSettings
) -> None:
    """Learnt by one process, used by another that begins later."""
    agent = await (await platform.shop()).staff(state=None)
    assert (await _login(platform, agent.login, PASSWORD, HOME)).status_code == 201

    async with started(settings) as second:

        async def guess(address: str) -> set[int]:
            tries = range(PAIR_ATTEMPTS)
            answers = [await _login(second, agent.login, f"guess {n}", address) for n in tries]
            return {answer.status_code for answer in answers}

        places = [f"198.51.100.{n}" for n in range(100, 100 + LOGIN_ATTEMPTS // PAIR_ATTEMPTS)]
        assert await asyncio.gather(*map(guess, places)) == [{401}] * len(places)

        elsewhere = await _login(second, agent.login, PASSWORD, "192.0.2.9")
        at_home = await _login(second, agent.login, PASSWORD, HOME)

    assert code(elsewhere) == (429, "too_many")
    assert at_home.status_code == 201


async def test_where_somebody_signed_in_is_forgotten_after_its_time(platform: Platform) -> None:
    agent = await (await platform.shop()).staff(state=None)
    person, now = PersonId(agent.id), platform.service.clock.now()
    month = timedelta(days=30)
    async with platform.service.db.write_across("a test") as session:
        await origins.keep(session, person, "old", at=now - month - timedelta(hours=1))
        await origins.keep(session, person, "young", at=now - month + timedelta(hours=1))
        assert not await origins.is_known(session, person, "old", since=now - month)

    assert await platform.service.retention.forget() >= 1
    assert await platform.service.retention.forget() == 0

    async with platform.service.db.write_across("a test") as session:
        left = await session.execute(
            text("select count(*) from staff_origins where staff_id = :id and seen_at < :day"),
            {"id": agent.id, "day": now - timedelta(days=1)},
        )
        assert left.scalar_one() == 1
        assert await origins.is_known(session, person, "young", since=now - month)
        for n in range(ORIGINS_LIMIT):
            await origins.keep(session, person, str(n), at=now + timedelta(seconds=n))
        assert not await origins.is_known(session, person, "young", since=now - month)
        assert await origins.is_known(session, person, "0", since=now - month)


async def test_nobody_hashes_for_one_who_left(platform: Platform, passwords: HeldPasswords) -> None:
    shop = await platform.shop()
    passwords.hold()
    working = [
        asyncio.create_task(_login(platform, f"worker {n}", "guess", HOME)) for n in range(2)
    ]
    await eventually(lambda: passwords.checked == 2)
    turns = passwords.turns

    leaving = [
        asyncio.create_task(_login(platform, shop.boss.login, f"guess {n}", "198.51.100.5"))
        for n in range(8)
    ]
    await eventually(lambda: turns._waiting == 8)
    for task in leaving:
        task.cancel()
    await eventually(lambda: turns._waiting == 0)
    passwords.release()
    await asyncio.gather(*working)

    assert passwords.checked == 2
    assert (await _login(platform, shop.boss.login, PASSWORD, "198.51.100.5")).status_code == 201


async def test_a_new_password_that_waits_for_its_hash_keeps_no_shop_waiting(
    platform: Platform, passwords: HeldPasswords
) -> None:
    shop = await platform.shop()
    agent, buyer = await shop.staff(), await shop.buyer()
    passwords.hold()
    guesses = [
        asyncio.create_task(_login(platform, f"guesser {n}", "guess", HOME)) for n in range(2)
    ]
    await eventually(lambda: passwords.checked == 2)
    wish = {"password": "another horse battery"}
    change = asyncio.create_task(shop.boss.patch(f"/v1/staff/{agent.id}", wish))
    await eventually(lambda: passwords.turns._waiting == 1)

    assert ok(await buyer.post("/v1/conversations"), 201)["agent_id"] == agent.id

    passwords.release()
    await asyncio.gather(*guesses)
    ok(await change)


@pytest.mark.parametrize("change", [{"active": False}, {"password": "another horse battery"}])
async def test_a_password_that_is_right_no_more_lets_nobody_in(
    platform: Platform, passwords: HeldPasswords, change: dict[str, Any]
) -> None:
    """The hash is computed while the person is dismissed, or given another password."""
    shop = await platform.shop()
    agent = await shop.staff(state=None)
    passwords.hold()
    login = asyncio.create_task(_login(platform, agent.login, PASSWORD, HOME))
    await eventually(lambda: passwords.checked == 1)

    ok(await shop.boss.patch(f"/v1/staff/{agent.id}", change))
    passwords.release()

    assert code(await login) == (401, "wrong_login")


async def test_a_bot_uses_up_the_visitors_of_its_own_address_alone(
    settings: SeedSettings,
) -> None:
    few = settings.model_copy(update={"visitors_per_address": 3})
    async with started(few) as platform:
        shop = await platform.shop()
        body = {"shop_id": shop.id}

        async def visit(address: str) -> int:
            path = "/v1/sessions/visitor"
            return (await platform.call("POST", path, body=body, address=address)).status_code

        by_bot = [await visit(f"2001:db8::{n}") for n in range(5)]

        assert by_bot == [201, 201, 201, 429, 429]
        assert await visit(HOME) == 201


async def test_one_person_opens_only_so_many_sessions(platform: Platform) -> None:
    """The same token may be used again within seconds, for a client that lost its answer."""
    buyer = await (await platform.shop()).buyer()
    body = {"refresh_token": buyer.refresh_token}

    async def renew() -> int:
        with suppress(httpx2.HTTPError):
            path = "/v1/sessions/refresh"
            return (await platform.call("POST", path, body=body)).status_code
        return 0

    counted = Counter(await asyncio.gather(*(renew() for _ in range(80))))

    assert set(counted) == {200, 429}
    assert counted[200] <= 62


def _done(tasks: list[asyncio.Task[httpx2.Response]]) -> int:
    return sum(task.done() for task in tasks)
