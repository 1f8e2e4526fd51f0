"""The sample application, open to a client in memory."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import httpx2
import pytest
import structlog
from fastapi import FastAPI

from kit.clock import ManualClock
from kit.metrics import Metrics
from kit.web.app import create_app
from kit.web.auth import KeyPair, TokenVerifier, generate_keypair
from tests.unit.kitweb.sample import router


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    return generate_keypair()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def app(keys: KeyPair, clock: ManualClock, metrics: Metrics) -> FastAPI:
    return create_app(
        title="Things",
        version="1",
        routers=[router],
        clock=clock,
        verifier=TokenVerifier(keys.public, clock),
        service_verifier=TokenVerifier(keys.public, clock, "peakdesk.internal"),
        revoked=lambda principal: principal.subject == "fired",
        metrics=metrics,
        allowed_origins=["https://shop.example"],
    )


@pytest.fixture
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """The log lines of the test, kept from the terminal."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
async def client(
    app: FastAPI, logged: list[MutableMapping[str, Any]]
) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk.example") as client:
        yield client
