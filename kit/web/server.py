"""The HTTP listener: uvicorn with httptools, plus the time and size limits that it lacks.

uvicorn 0.54 bounds neither how long a request may take to arrive, nor how large its head may be,
nor how long a client may leave an answer unread. Knows connections, never routes.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kit.web.problems import MEDIA_TYPE, TYPE_PREFIX

ARRIVAL_LIMIT_S: Final = 10
"""Seconds for a whole request, head and body, to arrive; then the connection is closed."""

UNREAD_LIMIT_S: Final = 10
"""Seconds that a full send buffer may stand still; then the connection is cut."""

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of request line and headers; more is answered 431 and the connection closed."""

KEEP_ALIVE_S: Final = 20
"""Seconds an idle connection is kept; longer than clients keep theirs, so that they close first."""

GRACE_S: Final = 2
"""Seconds that requests in progress have to finish once the listener closes."""

BACKLOG: Final = 2_048


class PortTaken(OSError):
    """Something else listens on the port. The text says what to do."""


def listen(host: str, port: int, *, setting: str) -> socket.socket:
    """Return a listening socket. Raises `PortTaken`, naming the setting that chooses the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {host} port {port} ({error.strerror}): "
            f"stop what listens there or change {setting}"
        ) from None


class Listener(uvicorn.Server):
    """One listening application. It leaves signals alone: the process owns them."""

    def __init__(
        self,
        app: FastAPI,
        *,
        websocket: type[asyncio.Protocol] | None = None,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        """Take the application, and the class that upgraded connections are handed to, if any."""
        super().__init__(
            uvicorn.Config(
                app,
                http=HttpProtocol,
                ws=websocket or "none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=list(trusted_proxies),
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
                backlog=BACKLOG,
            )
        )
        self.open = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.open.set()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        """Take no more connections and let `serve` return within `GRACE_S`."""
        self.should_exit = True


class HttpProtocol(HttpToolsProtocol):
    """A connection that must keep up: late, oversized and malformed requests are closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrival: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # mypy: uvicorn narrows the argument, and so must we.
        super().connection_made(transport)
        self._await_arrival()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self._read()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._in_head:
            # A read may carry body too (256 KiB at once under uvloop), so only what came in earlier
            # reads of this head counts: a head that is over the limit is seen at its next read.
            if self._head_bytes > HEAD_LIMIT:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large")
                return
            self._head_bytes += len(data)
            self._await_arrival()
        super().data_received(data)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_arrival()

    @override
    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._arrived()
        self._in_head = True
        self._head_bytes = 0

    @override
    def handle_websocket_upgrade(self) -> None:
        self._arrived()
        super().handle_websocket_upgrade()

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "bad_request")

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_LIMIT_S, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._read()

    def _await_arrival(self) -> None:
        if self._arrival is None:
            self._arrival = self.loop.call_later(ARRIVAL_LIMIT_S, self._too_late)

    def _arrived(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _too_late(self) -> None:
        self._arrival = None
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "request_timeout")

    def _refuse(self, status: HTTPStatus, slug: str) -> None:
        """Answer without the application, unless another answer is due first, and close."""
        if self.transport.is_closing():
            return
        if not self._answer_due():
            self.transport.write(_bare_problem(status, slug))
        self.transport.close()

    def _answer_due(self) -> bool:
        """Tell whether the application owes an answer to a request that has arrived whole."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        return bool(self.pipeline) or cycle.response_started or not cycle.more_body


def _bare_problem(status: HTTPStatus, slug: str) -> bytes:
    document = {
        "type": TYPE_PREFIX + slug,
        "title": status.phrase,
        "status": status.value,
        "detail": status.phrase,
        "code": slug,
        "trace_id": "",
    }
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
