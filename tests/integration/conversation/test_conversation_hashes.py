"""What a password's hash costs: the same whoever asks, and never less than the release wants.

Attack table, rows 10 and 61.
"""

import asyncio
import statistics
import time

import httpx2
import pytest
from typing_extensions import override

from kit.web.auth import Passwords
from services.conversation.seed import SeedSettings
from services.conversation.staff import repository as staff
from tests.integration.conversation.desk import PASSWORD, Platform, code, started

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

HOME = "203.0.113.1"
WRONG = "these words are wrong"


class Together(Passwords):
    """Passwords of which the next `coming` checks end together."""

    def __init__(self) -> None:
        super().__init__(memory_kib=128, rounds=2)
        self.coming = 0
        self._all = asyncio.Event()

    @override
    async def verify(self, password: str, stored: str | None) -> bool:
        fits = await super().verify(password, stored)
        if self.coming:
            self.coming -= 1
            if not self.coming:
                self._all.set()
            await self._all.wait()
        return fits


async def _login(platform: Platform, login: str, password: str = WRONG) -> httpx2.Response:
    body = {"login": login, "password": password}
    return await platform.call("POST", "/v1/sessions", body=body, address=HOME)


async def test_who_has_no_account_gets_the_same_words_after_the_same_time(
    settings: SeedSettings,
) -> None:
    """At what a hash costs in production: whoever hashed once, or twice, or not, would show it.

    In time of this process, which the service runs in: a busy machine makes none of it longer.
    """
    async with started(settings, passwords=Passwords()) as platform:
        login = (await platform.shop()).boss.login
        absent = "nobody.at.all"
        took: dict[str, list[float]] = {login: [], absent: []}
        shown = []
        await _login(platform, "warm")
        for _ in range(5):
            for name, seconds in took.items():
                begun = time.process_time()
                answer = await _login(platform, name)
                seconds.append(time.process_time() - begun)
                assert code(answer) == (401, "wrong_login")
                shown.append({k: v for k, v in answer.json().items() if k != "trace_id"})

    assert all(one == shown[0] for one in shown)
    # The least say most: both hash once, and nothing else takes long.
    known, unknown = (statistics.mean(sorted(seconds)[:3]) for seconds in took.values())
    assert 0.5 < known / unknown < 2


async def test_a_cheap_hash_is_replaced_when_its_owner_signs_in(settings: SeedSettings) -> None:
    """A release that raises the cost, and two screens that sign in at once with the old hash."""
    async with started(settings) as platform:
        agent = await (await platform.shop()).staff(state=None)
    dearer = Together()
    async with started(settings, passwords=dearer) as platform:

        async def stored() -> str:
            async with platform.service.db.read_across("a test") as session:
                return await staff.password_of(session, agent.id) or ""

        before = await stored()
        wrong = await _login(platform, agent.login)
        assert (wrong.status_code, await stored()) == (401, before)

        dearer.coming = 2
        right = [_login(platform, agent.login, PASSWORD) for _ in range(2)]
        assert {answer.status_code for answer in await asyncio.gather(*right)} == {201}

        after = await stored()
        assert (await _login(platform, agent.login, PASSWORD)).status_code == 201
        assert await stored() == after
    assert "m=128,t=2" in after
    assert "m=64,t=1" in before
