"""Whoever is turned away for good waits for nothing any longer; the rehearsal ends and says so."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import count
from typing import Any

import pytest
from typing_extensions import override

from contracts.frames import CloseCode
from rehearsal import dialogues
from rehearsal.api import Api, ApiRefused, Session
from rehearsal.client import Client
from rehearsal.endings import (
    NO_RECONNECT_FROM,
    Broken,
    ForGood,
    SessionEnded,
    StreamRefused,
    UpgradeRefused,
)
from rehearsal.run import Plan, Progress, Rehearsal
from tests.unit.rehearsal.gateway import PaperGateway, opened
from tests.waiting import eventually

pytestmark = pytest.mark.unit

STREAM = "conv:1"
QUICK = (0.01, 0.02)
FINAL = [code for code in CloseCode if code >= NO_RECONNECT_FROM]
PASSING = [code for code in CloseCode if 4000 <= code < NO_RECONNECT_FROM]


@asynccontextmanager
async def connected(gateway: PaperGateway) -> AsyncIterator[tuple[Client, list[ForGood]]]:
    ends: list[ForGood] = []
    url = gateway.url.replace("http", "ws") + "/v1/ws"
    client = Client(url, "token", rng=random.Random(1), on_end=ends.append, backoff_s=QUICK)
    await client.open()
    await client.subscribe(STREAM)
    try:
        yield client, ends
    finally:
        await client.close()


def said(client: Client) -> "asyncio.Future[Any]":
    return client.send(STREAM, "text", {"text": "?"}, client_id="12345678")


@pytest.mark.parametrize("code", FINAL)
async def test_after_a_close_for_good_nobody_waits_for_an_answer(code: CloseCode) -> None:
    async with opened() as gateway, connected(gateway) as (client, ends):
        under_way = said(client)
        await eventually(lambda: gateway.sends)
        gateway.close(code)

        assert (await under_way).code == str(code.value)
        assert (await said(client)).code == str(code.value)
        with pytest.raises(StreamRefused):
            await client.subscribe("conv:2")

        assert [type(end) for end in ends] == [SessionEnded]
        assert code.name.lower() in str(ends[0])
        assert gateway.upgrades == 1


@pytest.mark.parametrize("code", PASSING)
async def test_after_any_other_close_the_client_comes_back(code: CloseCode) -> None:
    async with opened() as gateway, connected(gateway) as (client, ends):
        gateway.close(code)
        await eventually(lambda: gateway.upgrades == 2 and not client.waits_for(STREAM))

        assert not ends


async def test_a_refused_upgrade_ends_it_and_a_busy_gateway_does_not() -> None:
    async with opened() as gateway, connected(gateway) as (client, ends):
        gateway.refuses = HTTPStatus.SERVICE_UNAVAILABLE
        gateway.close(CloseCode.DRAINING)
        await eventually(lambda: gateway.upgrades > 3)
        assert not ends
        assert client.waits_for(STREAM)

        gateway.refuses = HTTPStatus.FORBIDDEN
        under_way = said(client)

        assert (await under_way).code == "http_403"
        assert [type(end) for end in ends] == [UpgradeRefused]


async def test_who_is_refused_at_the_first_upgrade_is_told_at_once() -> None:
    async with opened() as gateway:
        gateway.refuses = HTTPStatus.NOT_FOUND
        client = Client(gateway.url.replace("http", "ws"), "token", rng=random.Random(1))

        with pytest.raises(UpgradeRefused, match="404"):
            await client.open()


# -- the rehearsal --------------------------------------------------------------------------------


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs time to enter, and tokens are traded in all the time."""
    monkeypatch.setattr("rehearsal.run.RENEW_EVERY_S", 0.01)
    monkeypatch.setattr("rehearsal.run.LEAD_S", 0.01)
    monkeypatch.setattr("rehearsal.run.MARGIN_S", 0.01)


class PaperApi(Api):
    """REST on paper: hires whoever is wanted; refuses what a test has it refuse."""

    def __init__(self, gateway: PaperGateway) -> None:
        super().__init__(gateway.url)
        self.refused: set[str] = set()
        self._ids = count(1)

    @override
    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
    ) -> Any:
        if path in self.refused:
            raise ApiRefused(method, path, HTTPStatus.FORBIDDEN, slug="shop_closed")
        number = next(self._ids)
        person = {"person": {"id": f"p{number}"}, "token": "t", "refresh_token": "r"}
        return person if path.startswith("/v1/sessions") else {"id": f"i{number}"}


Fault = Callable[[PaperGateway, PaperApi], None]


def closes_with(code: CloseCode) -> Fault:
    return lambda gateway, _: gateway.close(code)


def refuses_upgrades(gateway: PaperGateway, _: PaperApi) -> None:
    gateway.refuses = HTTPStatus.FORBIDDEN
    gateway.close(CloseCode.DRAINING)


def refuses(path: str) -> Fault:
    return lambda _, api: api.refused.add(path)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (closes_with(CloseCode.BAD_TOKEN), "close code 4500"),
        (refuses_upgrades, "upgrade with status 403"),
        (refuses("/v1/sessions/refresh"), "agent 1: POST /v1/sessions/refresh"),
    ],
)
async def test_a_rehearsal_ends_as_soon_as_somebody_is_turned_away(fault: Fault, why: str) -> None:
    async with opened() as gateway, PaperApi(gateway) as api:
        running = asyncio.create_task(_rehearsal(api).run())
        await eventually(lambda: gateway.sends)
        fault(gateway, api)

        with pytest.raises(Broken, match=f"while playing: .*{why}"):
            await running


@pytest.mark.usefixtures("hurried")
async def test_a_rehearsal_ends_when_the_shop_takes_no_more_visitors() -> None:
    async with opened() as gateway, PaperApi(gateway) as api:
        running = asyncio.create_task(_rehearsal(api).run())
        await eventually(lambda: gateway.sends)
        api.refused.add("/v1/sessions/visitor")

        with pytest.raises(ApiRefused, match="shop_closed"):
            await running


def _rehearsal(api: Api) -> Rehearsal:
    """Return a rehearsal of ten minutes: it ends soon only if it is ended."""
    plan = Plan(dialogues.load(), rate=5, seconds=600, backoff_s=QUICK)
    return Rehearsal(api, Session("boss", "t", "r"), plan, progress=Progress())
