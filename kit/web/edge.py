"""The outermost layer of every application: early refusals, and what every answer carries.

Knows bytes, headers and limits; must not know any route.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit.clock import Clock
from kit.errors import AppError, Unavailable, Unprocessable
from kit.metrics import Metrics
from kit.telemetry import TRACEPARENT, server_step, traced
from kit.text import clip
from kit.web import strictjson
from kit.web.capacity import Bodies
from kit.web.head import check_host, check_no_token, check_singletons
from kit.web.methods import METHODS, allowed, as_routed
from kit.web.problems import (
    BadRequest,
    BodyTooLarge,
    MethodNotAllowed,
    UnsupportedMediaType,
    of_status,
    render,
)
from kit.web.raw import RawBodies

BODY_LIMIT: Final = 1024 * 1024
"""Bytes of a request body at most; a larger one is answered 413 and the connection closed."""

QUERY_LIMIT: Final = 4_096
"""Bytes of a query string at most; a longer one is answered 422."""

UNMATCHED: Final = "(unmatched)"
"""The route label of every path that no route answers: labels never hold what clients choose."""

_JSON: Final = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "cache-control": "no-store",
}
"""On every answer that does not set its own: right for an API, replaced where pages are served. One
that an answer sets empty is left out."""


@dataclass
class _Exchange:
    """One request and what became of it."""

    scope: Scope
    method: str
    """As it was sent: routes see HEAD as GET."""
    receive: Receive
    send: Send
    headers: Headers = field(init=False)
    status: int = 0
    held: int = 0
    """Bytes of its body that are counted as in flight."""
    buffered: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.headers = Headers(scope=self.scope)

    @property
    def address(self) -> str:
        """Whose request it is."""
        client = self.scope.get("client")
        return client[0] if client else ""


class Edge:
    """Checks a request, gives it a trace, answers what goes wrong, logs and measures the rest."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Clock,
        metrics: Metrics,
        bodies: Bodies,
        raw: RawBodies | None = None,
        level: str = "info",
    ) -> None:
        self._app = app
        self._clock = clock
        self._metrics = metrics
        self._bodies = bodies
        self._raw = raw
        self._level = level
        self._log = structlog.get_logger("kit.web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(as_routed(scope), scope["method"], receive, send)
        with traced(server_step(exchange.headers.get(TRACEPARENT, ""))) as step:
            started = self._clock.monotonic()
            self._metrics.http_active.inc()
            try:
                await self._serve(exchange, {"x-trace-id": step.trace_id, **SECURITY_HEADERS})
            finally:
                self._bodies.give(exchange.address, exchange.held)
                self._metrics.http_active.dec()
                self._report(exchange, self._clock.monotonic() - started)

    async def _serve(self, exchange: _Exchange, extra: Mapping[str, str]) -> None:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in extra.items():
                    headers.setdefault(name, value)
                    if not headers[name]:
                        del headers[name]
            await exchange.send(message)

        async def receive() -> Message:
            return exchange.buffered.pop(0) if exchange.buffered else await exchange.receive()

        try:
            _check_target(exchange.scope, exchange.headers)
            await self._check_body(exchange)
            await self._app(exchange.scope, receive, send)
        except AppError as refusal:
            await _answer(exchange, refusal, send)
        except asyncio.CancelledError:
            if exchange.status:
                raise
            # The listener closes and waits no longer; swallowed, or uvicorn would answer 500.
            await _answer(exchange, Unavailable("This process stops: ask again."), send)
        except Exception:  # noqa: BLE001 - this is where a failure becomes an answer
            self._log.exception("http.failed", route=_route(exchange.scope))
            await _answer(exchange, of_status(500, "Quote the trace_id when you report it."), send)

    async def _check_body(self, exchange: _Exchange) -> None:
        raw = self._raw
        if raw is not None and raw.takes(exchange.method, exchange.scope["path"]):
            body = await _read(exchange, self._bodies, most=raw.most)
            raw.check(exchange.headers.get("content-type", ""), len(body))
            return
        body = await _read(exchange, self._bodies, most=BODY_LIMIT)
        if body:
            if not _JSON.fullmatch(exchange.headers.get("content-type", "")):
                raise UnsupportedMediaType
            strictjson.loads(body)

    def _report(self, exchange: _Exchange, seconds: float) -> None:
        method = exchange.method if exchange.method in METHODS else "other"
        route = _route(exchange.scope)
        self._metrics.http_seconds.labels(method, route, str(exchange.status)).observe(seconds)
        getattr(self._log, self._level)(
            "http.request",
            method=method,
            route=route,
            path=clip(exchange.scope["path"], 200),
            status=exchange.status,
            ms=round(seconds * 1000, 1),
        )


async def _answer(exchange: _Exchange, refusal: AppError, send: Send) -> None:
    if exchange.status:
        return  # the answer has begun: closing the connection is all that is left, uvicorn does it
    # What is left of the body is not read, so the connection cannot be used again.
    unread = "transfer-encoding" in exchange.headers or "content-length" in exchange.headers
    headers = {"connection": "close"} if unread and not exchange.buffered else {}
    if isinstance(refusal, MethodNotAllowed):
        headers["allow"] = allowed(exchange.scope)
    await render(refusal, headers)(exchange.scope, exchange.receive, send)


def _check_target(scope: Scope, headers: Headers) -> None:
    check_host(scope["headers"])
    check_singletons(scope["headers"])
    if scope["method"] not in METHODS:
        raise MethodNotAllowed
    if not scope["path"].startswith("/"):
        raise BadRequest("The path must begin with a slash.")
    query: bytes = scope["query_string"]
    if len(query) > QUERY_LIMIT:
        raise Unprocessable(f"The query string is longer than {QUERY_LIMIT} bytes.")
    _check_text(unquote_to_bytes(scope.get("raw_path") or b"/"))
    _check_text(unquote_to_bytes(query))
    check_no_token(query.decode("latin-1"))
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without compression.")


def _check_text(decoded: bytes) -> None:
    if b"\x00" in decoded:
        raise Unprocessable("Remove the NUL character from the URL.")
    try:
        decoded.decode()
    except UnicodeDecodeError:
        raise Unprocessable("Encode the URL as UTF-8.") from None


async def _read(exchange: _Exchange, bodies: Bodies, *, most: int) -> bytes:
    """Read the whole body, within its limit, and keep it for the application."""
    declared = exchange.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise BodyTooLarge(f"Send at most {most} bytes.")
    if declared in {"", "0"} and "transfer-encoding" not in exchange.headers:
        return b""
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The body broke off.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise BodyTooLarge(f"Send at most {most} bytes.")
        bodies.take(exchange.address, len(chunk))
        exchange.held += len(chunk)
        chunks.append(chunk)
        more = message.get("more_body", False)
    body = b"".join(chunks)
    exchange.buffered.append({"type": "http.request", "body": body, "more_body": False})
    return body


def _route(scope: Scope) -> str:
    template = getattr(scope.get("route"), "path_format", None)
    return template if isinstance(template, str) and template else UNMATCHED
