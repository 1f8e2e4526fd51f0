"""Health and the admin application: alive, ready, metrics, and the routes only neighbours may call.

Knows registered pings by name; must not know what they ask. Never reachable by clients.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from kit.clock import Clock
from kit.metrics import CONTENT_TYPE, Metrics
from kit.web.app import create_app
from kit.web.auth import TokenVerifier, service_caller

PING_TIMEOUT_S: Final = 2.0
"""Seconds a ping may take; one that takes longer counts as failed."""

Ping = Callable[[], Awaitable[object]]


class Readiness(BaseModel):
    """Whether the process may be sent work, and what each part says."""

    ready: bool
    parts: dict[str, str]


class Health:
    """Asks every registered part whether it can work. A part is well if its ping returns."""

    def __init__(self) -> None:
        self._pings: dict[str, Ping] = {}
        self._started = False
        self._draining = False
        self._log = structlog.get_logger("kit.health")

    def register(self, name: str, ping: Ping) -> None:
        """Add a part; it is unwell when its ping raises or outlasts `PING_TIMEOUT_S`."""
        if name in self._pings:
            raise ValueError(f"a ping named {name} is already registered")
        self._pings[name] = ping

    def start(self) -> None:
        """Everything is started: readiness now depends on the pings alone."""
        self._started = True

    def drain(self) -> None:
        """Take no new work from now on."""
        self._draining = True

    @property
    def draining(self) -> bool:
        """Tell whether the process is on its way out."""
        return self._draining

    async def check(self) -> Readiness:
        """Ask all parts at the same time."""
        if self._draining or not self._started:
            return Readiness(
                ready=False, parts={"process": "draining" if self._draining else "starting"}
            )
        answers = await asyncio.gather(*(self._ask(*item) for item in self._pings.items()))
        parts = dict(zip(self._pings, answers, strict=True))
        return Readiness(ready=all(answer == "ok" for answer in answers), parts=parts)

    async def _ask(self, name: str, ping: Ping) -> str:
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await ping()
        except Exception as error:  # noqa: BLE001 - whatever a part raises, the answer is "not ready"
            self._log.warning("health.unwell", part=name, exc_info=error)
            return "slow" if isinstance(error, TimeoutError) else "failed"
        return "ok"


def create_admin(
    *,
    title: str,
    version: str,
    clock: Clock,
    health: Health,
    metrics: Metrics,
    service_verifier: TokenVerifier | None = None,
    internal: Sequence[APIRouter] = (),
) -> FastAPI:
    """Return the admin application: /live, /ready, /metrics, and `internal` under /internal.

    Internal routes are for neighbours: each asks for a service token, whatever the router says.
    """
    guarded = APIRouter(prefix="/internal", dependencies=[Depends(service_caller)])
    for router in internal:
        guarded.include_router(router)
    return create_app(
        title=title,
        version=version,
        clock=clock,
        routers=[_probes(health, metrics), guarded],
        service_verifier=service_verifier,
        openapi_url=None,
        strict_queries=False,  # a neighbour of the next release may ask for more during a deploy
        log_level="debug",
    )


def _probes(health: Health, metrics: Metrics) -> APIRouter:
    router = APIRouter()

    @router.get("/live")
    async def live() -> dict[str, bool]:
        """Answer at all: the event loop turns."""
        return {"live": True}

    @router.get("/ready", response_model=Readiness)
    async def ready() -> Response:
        """Answer 200 if the process may be sent work, 503 if not."""
        found = await health.check()
        return JSONResponse(found.model_dump(), status_code=200 if found.ready else 503)

    @router.get("/metrics")
    async def exposition() -> Response:
        """Show every metric in the Prometheus text format."""
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    return router
