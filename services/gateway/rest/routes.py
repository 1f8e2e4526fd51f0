"""The gateway's own REST: limits, and one OpenAPI document of all services under one origin.

Knows OpenAPI documents as such; must not know what any operation does.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx2
import structlog
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from kit.clock import Clock
from services.gateway.rest.neighbours import Neighbours

FETCH_S: Final = 5.0
FRESH_S: Final = 60.0
"""A merged document of all services is shown for so long; an incomplete one for less."""
INCOMPLETE_S: Final = 5.0

Document = dict[str, Any]

log: Final = structlog.get_logger("gateway.openapi")


class LimitsView(BaseModel):
    """What a client of the socket must keep to.

    A frame counts once against the rate for every `chars_per_frame` characters of its words or
    every `bytes_per_frame` bytes, whichever is more. Staff share the rate among their sockets.
    """

    frame_bytes: int
    text_chars: int
    chars_per_frame: int
    bytes_per_frame: int
    frames_per_s: int
    burst: int
    subscriptions: int
    replay: int


def limits_router(limits: Callable[[], Mapping[str, object]]) -> APIRouter:
    """Return GET /v1/limits."""
    router = APIRouter(tags=["gateway"])

    @router.get("/v1/limits")
    async def socket_limits() -> LimitsView:
        """Show the limits of the WebSocket protocol."""
        return LimitsView.model_validate(limits())

    return router


class OpenApi:
    """Fetches the services' documents and merges them; services that are away are left out."""

    def __init__(
        self, neighbours: Neighbours, *, leads_to: Callable[[str], str | None], clock: Clock
    ) -> None:
        """`leads_to` tells to which service a public path leads."""
        self._pools = neighbours.pools
        self._leads_to = leads_to
        self._services = neighbours.addresses
        self._clock = clock
        self._merged: Document | None = None
        self._good_until = 0.0
        self._fetching = asyncio.Lock()

    def router(self, own: Callable[[], FastAPI]) -> APIRouter:
        """Return GET /openapi.json; `own` is the gateway's application, known when asked."""
        router = APIRouter(include_in_schema=False)

        @router.get("/openapi.json")
        async def merged() -> Document:
            """Show every public route of the platform."""
            async with self._fetching:
                if self._merged is None or self._clock.monotonic() >= self._good_until:
                    await self._fetch(own().openapi())
            assert self._merged is not None
            return self._merged

        return router

    async def _fetch(self, own: Document) -> None:
        names = list(self._services)
        found = await asyncio.gather(*(self._document(name) for name in names))
        documents = {name: one for name, one in zip(names, found, strict=True) if one is not None}
        self._merged = merge(own, documents, leads_to=self._leads_to)
        keep = FRESH_S if len(documents) == len(names) else INCOMPLETE_S
        self._good_until = self._clock.monotonic() + keep

    async def _document(self, name: str) -> Document | None:
        address = self._services[name]
        try:
            answer = await self._pools[name].get(f"{address}/openapi.json", timeout=FETCH_S)
            answer.raise_for_status()
            found = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            log.warning("openapi.missing", address=address, reason=type(error).__name__)
            return None
        return found if isinstance(found, dict) else None


def merge(
    own: Document,
    documents: Mapping[str, Document],
    *,
    leads_to: Callable[[str], str | None],
) -> Document:
    """Return one OpenAPI 3.1 document; operation ids and differing schemas are named by service."""
    merged: Document = {
        "openapi": "3.1.0",
        "info": {"title": "PeakDesk", "version": own["info"]["version"]},
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": {}},
    }
    for service, document in {"gateway": own, **documents}.items():
        shown = {
            path: item
            for path, item in document.get("paths", {}).items()
            if service == "gateway" or leads_to(path) == service
        }
        _add(merged, service, document | {"paths": shown})
    return merged


def _add(merged: Document, service: str, document: Document) -> None:
    components = document.get("components", {})
    renamed: dict[str, str] = {}
    for name, schema in components.get("schemas", {}).items():
        known = merged["components"]["schemas"].get(name)
        if known is not None and known != schema:
            renamed[name] = f"{service}.{name}"
    for name, schema in components.get("schemas", {}).items():
        merged["components"]["schemas"][renamed.get(name, name)] = _pointed(schema, renamed)
    merged["components"]["securitySchemes"] |= components.get("securitySchemes", {})
    for path, item in document["paths"].items():
        shown = _pointed(item, renamed)
        for operation in shown.values():
            if isinstance(operation, dict) and "operationId" in operation:
                operation["operationId"] = f"{service}_{operation['operationId']}"
        merged["paths"][path] = shown


def _pointed(part: Any, renamed: Mapping[str, str]) -> Any:
    """Copy a part of a document, with references to renamed schemas put right."""
    if isinstance(part, dict):
        return {key: _pointed_at(key, value, renamed) for key, value in part.items()}
    if isinstance(part, list):
        return [_pointed(value, renamed) for value in part]
    return part


_SCHEMAS: Final = "#/components/schemas/"


def _pointed_at(key: str, value: Any, renamed: Mapping[str, str]) -> Any:
    if key == "$ref" and isinstance(value, str) and value.startswith(_SCHEMAS):
        name = value.removeprefix(_SCHEMAS)
        return _SCHEMAS + renamed.get(name, name)
    return _pointed(value, renamed)
