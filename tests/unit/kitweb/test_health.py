"""Readiness follows its parts; the admin door shows no one but neighbours what is internal."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import APIRouter

from kit.clock import SystemClock
from kit.metrics import Metrics
from kit.web import health as subject
from kit.web.auth import (
    SERVICES,
    KeyPair,
    ServiceTokens,
    TokenIssuer,
    TokenVerifier,
    generate_keypair,
)
from kit.web.health import Health, create_admin

pytestmark = pytest.mark.unit

internal = APIRouter()


@internal.get("/marks")
async def marks() -> dict[str, int]:
    return {"mark": 1}


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    return generate_keypair()


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def client(health: Health, keys: KeyPair) -> AsyncIterator[httpx2.AsyncClient]:
    clock = SystemClock()
    app = create_admin(
        title="Admin",
        version="1",
        clock=clock,
        health=health,
        metrics=Metrics(process=True),
        service_verifier=TokenVerifier(keys.public, clock, SERVICES),
        internal=[internal],
    )
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://admin.example") as client:
        yield client


async def well() -> None:
    return None


async def unwell() -> None:
    raise ConnectionError("postgresql://user:secret@host")


async def stuck() -> None:
    await asyncio.Event().wait()


async def test_readiness_follows_the_life_of_the_process(
    client: httpx2.AsyncClient, health: Health
) -> None:
    health.register("database", well)
    assert (await client.get("/ready")).status_code == 503
    health.start()
    answer = await client.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "parts": {"database": "ok"}}
    health.drain()
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {"process": "draining"}
    assert (await client.get("/live")).status_code == 200


async def test_one_unwell_part_turns_readiness_red_without_saying_why(
    client: httpx2.AsyncClient, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "PING_TIMEOUT_S", 0.01)
    health.register("database", unwell)
    health.register("bus", stuck)
    health.register("relay", well)
    health.start()
    answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {"database": "failed", "bus": "slow", "relay": "ok"}
    assert "secret" not in answer.text


def test_a_part_registers_once(health: Health) -> None:
    health.register("database", well)
    with pytest.raises(ValueError, match="already registered"):
        health.register("database", well)


async def test_metrics_are_shown(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert "peakdesk_outbox_oldest_seconds" in answer.text
    assert "process_resident_memory_bytes" in answer.text


async def test_internal_routes_open_to_neighbours_alone(
    client: httpx2.AsyncClient, keys: KeyPair
) -> None:
    clock = SystemClock()
    service = ServiceTokens(keys.private, "gateway", clock).current()
    person = TokenIssuer(keys.private, clock).issue(
        subject="a1", role="admin", shop_id="s1", name=""
    )

    assert (await client.get("/internal/marks")).status_code == 401
    for token, status in ((service, 200), (person, 401)):
        headers = {"authorization": f"Bearer {token}"}
        assert (await client.get("/internal/marks", headers=headers)).status_code == status
