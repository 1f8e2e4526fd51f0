"""One HTTP/1.1 connection: uvicorn with httptools, plus the limits and strictness that it lacks.

uvicorn 0.54 bounds neither how long a request may take to arrive, nor how large its head, trailers
and chunk extensions may be, nor how much is pipelined, nor how long a client may leave an answer
unread; it takes trailers for headers, and loses what follows an upgrade that nobody serves. Knows
connections, never routes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, NoReturn, cast

import httptools
import structlog
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kit.errors import Unavailable
from kit.web.auth import INTRODUCED
from kit.web.bare import bare_problem
from kit.web.capacity import Bodies, ConnectionLimits
from kit.web.forwarded import TrustedProxies
from kit.web.framing import has_body, is_doubtful, wants_socket

ARRIVAL_LIMIT_S: Final = 10
"""Seconds for a whole request, head and body, to arrive; then the connection is closed."""

UNREAD_LIMIT_S: Final = 10
"""Seconds that a full send buffer may stand still; then the connection is cut."""

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of request line, headers, chunk extensions and trailers together; more is answered 431 and
the connection closed. It is looked at after every `PIECE`."""

FIELDS_LIMIT: Final = 100
"""Headers and trailers of one request; one more is answered 431. Trailers are then dropped."""

LINGER_S: Final = 1.0
"""Seconds in which a client that is refused while it sends may finish and read why."""

CHUNKS_LIMIT: Final = 4_096
"""Chunks of one body; one more is answered 400: bytes sent one by one cost most."""

CHUNK_LINE: Final = 20
"""Bytes that a chunk may spend on its size and line ends without being counted as head."""

PIECE: Final = 1_024
"""Bytes parsed at once: so much may be pipelined behind a request that is being answered. What is
read beyond it is kept unparsed, counted as a body in flight, and the connection read no further."""

_log: Final = structlog.get_logger("kit.web")


@dataclass(frozen=True)
class ServerState:
    """What all connections of a listener share."""

    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    bodies: Bodies = field(default_factory=Bodies)


class _Refused(Exception):
    """Raised in a callback of the parser: the request is answered so, and the connection closed."""

    def __init__(self, status: HTTPStatus, slug: str) -> None:
        super().__init__(slug)
        self.status, self.slug = status, slug


class _Unhurried:
    """The transport as an answer's cycle uses it; closing it is ours."""

    def __init__(self, transport: asyncio.Transport, end: Callable[[], None]) -> None:
        self.write, self.is_closing, self.close = transport.write, transport.is_closing, end


class HttpProtocol(HttpToolsProtocol):
    """A connection that must keep up: late, oversized and malformed requests are closed.

    Requests are answered one after another. A refusal waits for the answers that are due before
    it, for a client would take it for one of those.
    """

    def __init__(self, *args: Any, shared: ServerState, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shared = shared
        self._peer = ""
        self._inside = False
        self._unknown = False
        self._arrival: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._fault: _Refused | None = None
        self._refusal: bytes | None = None
        self._ahead = b""
        self._in_head = True
        self._parting = False
        self._owed = 0
        self._receiving = False
        self._begun = self._switched = False
        self._framing = self._fields = self._chunks = 0
        self._octets_in_piece = self._chunks_in_piece = 0

    # ---- the connection

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # mypy: uvicorn narrows the argument, and so must we.
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        connections = self._shared.connections
        known = self._peer in self._shared.proxies
        if connections.full:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
        elif not known and connections.crowded(self._peer):
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, "too_many")
        else:
            self._inside, self._unknown = True, not known
            connections.enter()
            if self._unknown:
                connections.unauthenticated(self._peer)
            self._await_arrival()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self._leave()
        self._hold(b"")
        self._read()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._refusal is not None or self._parting or self.transport.is_closing():
            return
        if self._ahead:
            self._hold(self._ahead + data)
            return
        self._feed(data)

    @override
    def on_response_complete(self) -> None:
        self._owed -= 1
        super().on_response_complete()
        if self._parting or self.transport.is_closing():
            return
        if self._owed:
            if self._ahead or self._refusal is not None:
                self.flow.pause_reading()  # uvicorn reads on after each answer
        elif self._refusal is not None:
            self.transport.write(self._refusal)
            self._part()
        else:
            self._resume()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_LIMIT_S, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._read()

    # ---- what the parser calls

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][INTRODUCED] = self._introduced
        self._begun = True
        self._framing = self._fields = self._chunks = 0
        self._await_arrival()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        if self._fields > FIELDS_LIMIT:
            self._fail(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large")
        if self._in_head:  # a trailer is counted and dropped
            super().on_header(name, value.strip(b" \t"))

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        if is_doubtful(self.parser.get_http_version(), self.headers):
            self._fail(HTTPStatus.BAD_REQUEST, "bad_request")
        if self.parser.should_upgrade():
            self._check_upgrade()
        client = self._shared.proxies.client_of(self._peer, self.headers)
        if client != self._peer:
            self.scope["client"] = (client, 0)
        before = self.cycle
        super().on_headers_complete()
        self._receiving = self.cycle is not before
        self._owed += self._receiving
        if self._receiving:
            self.cycle.transport = cast("asyncio.Transport", _Unhurried(self.transport, self._end))

    def on_chunk_header(self) -> None:
        self._chunks += 1
        self._chunks_in_piece += 1
        if self._chunks > CHUNKS_LIMIT:
            self._fail(HTTPStatus.BAD_REQUEST, "bad_request")

    @override
    def on_body(self, body: bytes) -> None:
        self._octets_in_piece += len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._receiving = False
        self._framing = 0
        self._arrived()

    # ---- parsing

    def _feed(self, data: bytes) -> None:
        """Parse piece by piece, until a request waits behind one that is being answered."""
        self._unset_keepalive_if_required()
        if self._in_head:
            self._await_arrival()
        rest = memoryview(data)
        while rest:
            if self.pipeline:
                self._hold(bytes(rest))
                return
            try:
                taken = self._parse(rest[:PIECE])
            except (httptools.HttpParserError, _Refused):
                fault = self._fault or _Refused(HTTPStatus.BAD_REQUEST, "bad_request")
                self._refuse(fault.status, fault.slug)
                return
            rest = rest[taken:]
            if self._switched and self._should_upgrade():
                self._hand_over(bytes(rest))
                return

    def _parse(self, piece: memoryview) -> int:
        """Parse a piece and count it; return how much of it was HTTP."""
        self._begun = self._switched = False
        self._octets_in_piece = self._chunks_in_piece = 0
        taken = len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as ended:
            self._switched = True
            taken = ended.args[0]
        if not self._begun:
            free = self._octets_in_piece + self._chunks_in_piece * CHUNK_LINE
            self._framing += max(0, taken - free)
            if self._framing > HEAD_LIMIT:
                self._fail(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large")
        return taken

    def _hold(self, data: bytes) -> None:
        """Keep what was read ahead of an answer, in place of what was kept so far."""
        bodies = self._shared.bodies
        bodies.give(self._peer, len(self._ahead))
        self._ahead = b""
        if not data:
            return
        try:
            bodies.take(self._peer, len(data))
        except Unavailable:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
            return
        self._ahead = data
        self.flow.pause_reading()

    def _resume(self) -> None:
        """Everything that came is answered: take what was kept, and the next request's time."""
        if self._arrival is not None:
            self._arrived()
            self._await_arrival()
        ahead = self._ahead
        self._hold(b"")
        if ahead:
            self._feed(ahead)

    # ---- what is refused

    def _check_upgrade(self) -> None:
        """Refuse an upgrade with a body, which httptools does not read, and one out of turn."""
        if self.parser.get_method() == b"CONNECT":
            self._fail(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
        if has_body(self.headers) or (self._owed and self._should_upgrade()):
            self._fail(HTTPStatus.BAD_REQUEST, "bad_request")

    @override
    def _should_upgrade(self) -> bool:
        method, version = self.parser.get_method(), self.parser.get_http_version()
        return wants_socket(method, version, self.headers) and self._should_upgrade_to_ws()

    def _hand_over(self, rest: bytes) -> None:
        """Give the connection to the socket's protocol, with what came behind the request."""
        self._arrived()
        self._leave()
        self.connections.discard(self)
        self.flow.resume_reading()
        lines = [
            (name, value) for name, value in self.headers if name not in {b"connection", b"upgrade"}
        ]
        # In the one form that every reader understands: Firefox says `keep-alive, Upgrade`.
        lines += [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
        assert self.ws_protocol_class is not None
        protocol: Any = self.ws_protocol_class(  # type: ignore[call-arg] # uvicorn's own arguments
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        protocol.connection_made(self.transport)
        protocol.data_received(b"GET " + self.url + b" HTTP/1.1\r\n" + head + b"\r\n")
        self.transport.set_protocol(protocol)
        if rest and not self.transport.is_closing():
            protocol.data_received(rest)

    def _fail(self, status: HTTPStatus, slug: str) -> NoReturn:
        """End the parsing: whoever feeds the parser answers so."""
        self._fault = _Refused(status, slug)
        raise self._fault

    def _refuse(self, status: HTTPStatus, slug: str) -> None:
        """Answer without the application, behind the answers that are due, and close."""
        if self.transport.is_closing() or self._parting or self._refusal is not None:
            return
        _log.info("http.refused", status=status.value, code=slug)
        self._arrived()
        self._refusal = bare_problem(status, slug)
        if self._receiving and self.pipeline:
            self.pipeline.popleft()  # the newest, which will never be whole
            self._receiving = False
            self._owed -= 1
        if self._owed > self._receiving:
            self.flow.pause_reading()
        else:
            self.transport.write(self._refusal)
            self._part()

    def _end(self) -> None:
        """Close behind an answer; where its request is not whole, the client is still sending."""
        if self._receiving:
            self._part()
        else:
            self.transport.close()

    def _part(self) -> None:
        """Say no more, and drop what still comes for a while before closing (RFC 9112, 9.6).

        A connection closed with unread bytes is reset, and the reset overtakes the answer.
        """
        if self._inside and not self._parting and not self.transport.is_closing():
            self._parting = True
            self._arrived()
            self.transport.write_eof()
            self.flow.resume_reading()
            self.loop.call_later(LINGER_S, self.transport.close)
        elif not self._inside:
            self.transport.close()

    # ---- time and place

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
        if self._owed > self._receiving:
            self._await_arrival()  # it is read no further until what is due was answered
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "request_timeout")

    def _introduced(self) -> None:
        """A token that came on this connection was verified."""
        if self._unknown:
            self._unknown = False
            self._shared.connections.authenticated(self._peer)

    def _leave(self) -> None:
        self._introduced()
        if self._inside:
            self._inside = False
            self._shared.connections.leave()
