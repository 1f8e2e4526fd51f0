"""Builds an application: the same errors, limits, headers, traces and metrics for every service.

Knows FastAPI and what all routes share; must not know any route.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware import Middleware
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel, ConfigDict
from starlette.middleware.cors import CORSMiddleware
from typing_extensions import override

from kit.clock import Clock
from kit.metrics import Metrics
from kit.telemetry import Tracing
from kit.web import idempotency, problems, queries
from kit.web.auth import Principal, TokenVerifier, Verifiers, never_revoked
from kit.web.capacity import Bodies
from kit.web.edge import Edge
from kit.web.methods import METHODS
from kit.web.raw import RawBodies

CORS_SECONDS: Final = 600
"""How long a browser may remember what an origin is allowed."""

_EXPOSED: Final = ("ETag", "Retry-After", "Idempotent-Replayed", "X-Trace-Id", "Location")


class Body(BaseModel):
    """What a client may send. Unknown fields are refused, so nobody sets what is not his to set."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def create_app(  # noqa: PLR0913 - the one place where an application is described
    *,
    title: str,
    version: str,
    routers: Sequence[APIRouter],
    clock: Clock,
    verifier: TokenVerifier | None = None,
    service_verifier: TokenVerifier | None = None,
    revoked: Callable[[Principal], bool] | None = None,
    metrics: Metrics | None = None,
    tracing: Tracing | None = None,
    allowed_origins: Sequence[str] = (),
    openapi_url: str | None = "/openapi.json",
    strict_queries: bool = True,
    bodies: Bodies | None = None,
    raw: RawBodies | None = None,
    log_level: str = "info",
) -> FastAPI:
    """Return an application with these routers.

    `verifier` checks people's tokens, `service_verifier` those of neighbours; without one the
    routes that ask for it answer 401. `revoked` tells of tokens withdrawn before their end.
    Browsers of other origins are refused unless listed. The gateway merges what services show at
    `openapi_url`. `strict_queries` refuses query parameters that a route does not describe.
    `raw` says which bodies are no JSON. `log_level` is that of the access line.
    """
    metrics, bodies = metrics or Metrics(), bodies or Bodies()
    app = _Application(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url=openapi_url,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        dependencies=[Depends(queries.refuse_unknown)] if strict_queries else [],
        responses=_documented(),
        middleware=[
            Middleware(Edge, clock=clock, metrics=metrics, bodies=bodies, raw=raw, level=log_level),
            *_cors(allowed_origins),
        ],
        telemetry=_telemetry(tracing),
    )
    app.state.verifiers = Verifiers(verifier, service_verifier, revoked or never_revoked)
    app.state.bodies, app.state.raw, app.state.known_queries = bodies, raw, {}
    problems.install(app)
    idempotency.install(app)
    for router in routers:
        app.include_router(router)
    return app


class _Application(FastAPI):
    """FastAPI, with problem documents described where every route refers to them."""

    @override
    def openapi(self) -> dict[str, Any]:
        schema = super().openapi()
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        described = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components.update(described.pop("$defs", {}))
        components["Problem"] = described
        return schema


def _telemetry(tracing: Tracing | None) -> TelemetryConfig:
    return {
        "tracing": tracing is not None,
        "tracer_provider": tracing.provider if tracing else None,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
    }


def _cors(origins: Sequence[str]) -> list[Middleware]:
    if not origins:
        return []
    if "*" in origins:
        raise ValueError("allowed_origins must name each origin: '*' would admit every site")
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=sorted(METHODS),
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match"],
            expose_headers=list(_EXPOSED),
            max_age=CORS_SECONDS,
        )
    ]


def _operation_id(route: APIRoute) -> str:
    return route.name


def _documented() -> dict[int | str, dict[str, object]]:
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"default": {"description": "A problem document (RFC 9457)", "content": content}}
