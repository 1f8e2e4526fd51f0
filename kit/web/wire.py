"""One HTTP/1.1 connection: uvicorn with httptools, plus the limits and strictness that it lacks.

uvicorn 0.54 bounds neither how long a request may take to arrive, nor how large its head, trailers
and chunk extensions may be, nor how much is pipelined, nor how long a client may leave an answer
unread; it takes trailers for headers, and loses what follows an upgrade that nobody serves. Knows
connections, never routes.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, cast

import httptools
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kit.errors import Unavailable
from kit.web.auth import INTRODUCED
from kit.web.capacity import Bodies, ConnectionLimits
from kit.web.countdown import Countdown
from kit.web.ending import Ending
from kit.web.forwarded import TrustedProxies
from kit.web.guard import RequestGuard, RequestRefused
from kit.web.raw import RawBodies
from kit.web.share import ConnectionShare
from kit.web.upgrade import hand_over, wants_socket

ARRIVAL_LIMIT_S: Final = 10
"""Seconds for a whole request, head and body, to arrive; then the connection is closed."""

UNREAD_LIMIT_S: Final = 10
"""Seconds that a full send buffer may stand still; then the connection is cut."""

PIECE: Final = 1_024
"""Bytes parsed at once: so much may be pipelined behind a request that is being answered. What is
read beyond it is kept unparsed, counted as a body in flight, and the connection read no further."""


@dataclass(frozen=True)
class ServerState:
    """What all connections of a listener share."""

    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    bodies: Bodies = field(default_factory=Bodies)
    raw: RawBodies | None = None

    def share_of(self, address: str) -> ConnectionShare:
        """Return what a connection of this address holds, which is nothing yet."""
        return ConnectionShare(self.connections, self.bodies, address=address)

    def longer_for(self, scope: Mapping[str, Any]) -> float | None:
        """Return in how many seconds a request may arrive, if in more than others."""
        raw = self.raw
        return raw.arrival_s if raw and raw.takes(scope["method"], scope["path"]) else None


class _Unhurried:
    """The transport as an answer's cycle uses it; closing it is ours."""

    def __init__(self, transport: asyncio.Transport, end: Callable[[], None]) -> None:
        self.write, self.is_closing, self.close = transport.write, transport.is_closing, end


class HttpProtocol(HttpToolsProtocol):
    """A connection that must keep up: late, oversized and malformed requests are closed.

    Requests are answered one after another. A refusal waits for the answers that are due before
    it, for a client would take it for one of those: `_owed` counts them, `_receiving` tells whether
    the newest of their requests is not whole yet.
    """

    def __init__(self, *args: Any, shared: ServerState, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shared = shared
        self._share = shared.share_of("")
        self._guard = RequestGuard()
        self._arrival = Countdown(self.loop)
        self._unread = Countdown(self.loop)
        self._owed = 0
        self._receiving = False

    # ---- the connection

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # mypy: uvicorn narrows the argument, and so must we.
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        self._share = self._shared.share_of(peer)
        refused = self._share.enter(trusted=peer in self._shared.proxies)
        self._ending = Ending(self.loop, transport, self.flow, linger=refused is None)
        if refused is None:
            self._await_arrival()
        else:
            self._refuse(HTTPStatus(refused.status), refused.slug)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._arrival.stop()
        self._unread.stop()
        self._share.leave()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._share.keeps and not self._ending.begun:
            self._keep(data)
        elif not self._ending.begun:
            self._feed(data)

    @override
    def on_response_complete(self) -> None:
        self._owed -= 1
        super().on_response_complete()
        if self._ending.over:
            return
        if self._owed:
            if self._share.keeps or self._ending.refused:
                self.flow.pause_reading()  # uvicorn reads on after each answer
        elif self._ending.refused:
            self._ending.say()
        else:
            self._resume()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.start(UNREAD_LIMIT_S, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread.stop()

    # ---- what the parser calls

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][INTRODUCED] = self._share.authenticated
        self._guard.begin()
        self._await_arrival()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        self._guard.field()
        if self._guard.in_head:  # a trailer is counted and dropped
            super().on_header(name, value.strip(b" \t"))

    @override
    def on_headers_complete(self) -> None:
        self._guard.head(self.parser.get_http_version(), self.headers)
        if self.parser.should_upgrade():
            out_of_turn = self._owed > 0 and self._should_upgrade()
            self._guard.upgrade(self.parser.get_method(), self.headers, out_of_turn=out_of_turn)
        client = self._shared.proxies.client_of(self._share.address, self.headers)
        if client != self._share.address:
            self.scope["client"] = (client, 0)
        before = self.cycle
        super().on_headers_complete()
        self._receiving = self.cycle is not before
        self._owed += self._receiving
        if self._receiving:
            self.cycle.transport = cast("asyncio.Transport", _Unhurried(self.transport, self._end))
            if (longer_s := self._shared.longer_for(self.scope)) is not None:
                self._arrival.restart(longer_s, self._too_late)

    def on_chunk_header(self) -> None:
        self._guard.chunk()

    @override
    def on_body(self, body: bytes) -> None:
        self._guard.body(len(body))
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._guard.end()
        self._receiving = False
        self._arrival.stop()

    # ---- parsing

    def _feed(self, data: bytes) -> None:
        """Parse piece by piece, until a request waits behind one that is being answered."""
        self._unset_keepalive_if_required()
        if self._guard.in_head:
            self._await_arrival()
        rest = memoryview(data)
        while rest:
            if self.pipeline:
                self._keep(bytes(rest))
                return
            try:
                taken = self._guard.parse(self.parser, rest[:PIECE])
            except (httptools.HttpParserError, RequestRefused):
                self._refuse(self._guard.reason.status, self._guard.reason.slug)
                return
            rest = rest[taken:]
            if self._guard.switched and self._should_upgrade():
                self._arrival.stop()
                self._share.leave()
                hand_over(self, bytes(rest))
                return

    def _keep(self, data: bytes) -> None:
        """Keep what came before its turn, and read no more."""
        try:
            self._share.keep(data)
        except Unavailable:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
        else:
            self.flow.pause_reading()

    def _resume(self) -> None:
        """Everything that came is answered: take what was kept, and the next request's time."""
        if self._arrival.running:
            self._arrival.stop()
            self._await_arrival()
        kept = self._share.take_kept()
        if kept:
            self._feed(kept)

    @override
    def _should_upgrade(self) -> bool:
        method, version = self.parser.get_method(), self.parser.get_http_version()
        return wants_socket(method, version, self.headers) and self._should_upgrade_to_ws()

    # ---- what is refused, and how it ends

    def _await_arrival(self) -> None:
        self._arrival.start(ARRIVAL_LIMIT_S, self._too_late)

    def _too_late(self) -> None:
        if self._owed > self._receiving:
            self._await_arrival()  # it is read no further until what is due was answered
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "request_timeout")

    def _refuse(self, status: HTTPStatus, slug: str) -> None:
        """Answer without the application, behind the answers that are due, and close."""
        if self._ending.begun:
            return
        self._arrival.stop()
        self._ending.refuse(status, slug)
        if self._receiving and self.pipeline:
            self.pipeline.popleft()  # the newest, which will never be whole
            self._receiving = False
            self._owed -= 1
        if self._owed > self._receiving:
            self.flow.pause_reading()
        else:
            self._ending.say()

    def _end(self) -> None:
        """Close behind an answer; where its request is not whole, the client is still sending."""
        self._arrival.stop()
        if self._receiving:
            self._ending.part()
        else:
            self.transport.close()
