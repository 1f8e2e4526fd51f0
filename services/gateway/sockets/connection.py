"""One upgraded connection: WebSocket frames in, messages out of them, complete frames back.

Knows RFC 6455 and who receives the messages; must not know what they mean.
"""

import asyncio
import socket
from collections import deque
from typing import Final, NamedTuple, cast

import structlog
from multidict import CIMultiDict
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
from typing_extensions import override

from contracts.frames import FRAME_BYTES, CloseCode
from services.gateway.hub import SocketSession
from services.gateway.limits import FRAMES_A_TURN
from services.gateway.sockets.port import Receiver, Registry

FRAGMENTS: Final = 256
"""Pieces that one message may come in; more close the socket with 4501."""

SEND_BUFFER: Final = 64 * 1024
"""Bytes that the kernel holds for one reader (Linux keeps twice that, half of it its own). Left to
itself it grows to 4 MiB: a slow reader would be noticed late, and thousands would fill the machine.
"""

SENDABLE: Final = (1_000, 4_999)
UNSENDABLE: Final = frozenset({1_004, 1_005, 1_006, 1_015})
"""Close codes that a frame may hold, and those among them that only say how a connection ended."""

_NO_HEADERS: Final[CIMultiDict[str]] = CIMultiDict()

log: Final = structlog.get_logger("gateway.socket")


class Connection(WSListener):
    """Before `hello` it has no session; the receiver gives it one or closes it."""

    __slots__ = (
        "_pieces",
        "_receiver",
        "_registry",
        "_taken",
        "_transport",
        "_turn",
        "_underlying",
        "_waiting",
        "address",
        "bearer",
        "closed_at",
        "closed_with",
        "opened_at",
        "socket",
    )

    def __init__(
        self, receiver: Receiver, registry: Registry, *, address: str, bearer: str | None
    ) -> None:
        super().__init__()
        self.address = address
        self.bearer = bearer
        self.socket: SocketSession | None = None
        self.opened_at = 0.0
        self.closed_at: float | None = None
        self.closed_with: int | None = None
        self._receiver = receiver
        self._registry = registry
        self._transport: WSTransport | None = None
        self._underlying: asyncio.Transport | None = None
        self._pieces: list[bytes] | None = None
        self._turn = -1
        self._taken = 0
        self._waiting: deque[_Frame] | None = None

    # ---- what picows calls

    @override
    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._underlying = transport.underlying_transport
        plug = self._underlying.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        # The handshake is over: 1.5 KB of headers per idle socket are of no more use.
        transport.request.headers = transport.response.headers = _NO_HEADERS
        self._registry.opened(self)

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        try:
            came = _Frame.of(frame)
            if self._waiting is not None:
                self._waiting.append(came)
            elif self._has_turn():
                self._take(transport, came)
            else:
                self._wait(came)
        except Exception:
            log.exception("socket.failed")  # picows then closes with 1011
            raise

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._underlying = self._waiting = None
        self._registry.left(self)

    @override
    def pause_writing(self) -> None:
        if self.socket is not None:
            self.socket.hold()

    @override
    def resume_writing(self) -> None:
        if self.socket is not None:
            self.socket.release()

    # ---- what a session calls (`hub.Wire`)

    def write(self, frame: bytes) -> None:
        """Hand over a complete frame; uvloop keeps what the kernel does not take at once."""
        if self._underlying is not None and self.closed_with is None:
            self._underlying.write(frame)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; the peer answers and the connection ends, or the reaper cuts it."""
        if self._transport is None or self.closed_with is not None:
            return
        self.closed_with = code
        self.closed_at = self._registry.now()
        # picows sends any code; its annotation knows only those of the RFC.
        self._transport.send_close(cast("WSCloseCode", code), reason)
        self._registry.closed(self, code)

    def abort(self) -> None:
        """Cut the connection."""
        if self._underlying is not None:
            self._underlying.abort()

    # ---- turns

    def _has_turn(self) -> bool:
        """Tell whether one more frame may be taken in this turn of the event loop."""
        turn = self._receiver.turns.now
        if turn != self._turn:
            self._turn, self._taken = turn, 0
        return self._taken < FRAMES_A_TURN

    def _wait(self, frame: "_Frame") -> None:
        """Keep a frame for the next turn, and read no more until all that came is taken."""
        self._waiting = deque([frame])
        if self._underlying is not None and not self._underlying.is_closing():
            self._underlying.pause_reading()
        asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        """Take what waits, a turn's worth; then read on."""
        transport = self._transport
        while self._waiting and transport is not None:
            if not self._has_turn():
                asyncio.get_running_loop().call_soon(self._resume)
                return
            try:
                self._take(transport, self._waiting.popleft())
            except Exception:  # nobody above could answer for this socket
                log.exception("socket.failed")
                self.abort()
        if self._waiting is None:
            return  # the connection ended meanwhile
        self._waiting = None
        if self._underlying is not None and not self._underlying.is_closing():
            self._underlying.resume_reading()

    # ---- frames

    def _take(self, transport: WSTransport, frame: "_Frame") -> None:
        self._taken += 1
        kind = frame.kind
        if kind == WSMsgType.CLOSE:
            transport.send_close(_goodbye(frame.payload))
            transport.disconnect()
        elif self.closed_with is not None:
            return
        elif frame.reserved:
            self._fail(CloseCode.PROTOCOL)  # no extension was negotiated
        elif kind == WSMsgType.TEXT and frame.last and self._pieces is None:
            self._message(frame.payload)
        elif kind in {WSMsgType.TEXT, WSMsgType.CONTINUATION}:
            self._assemble(frame, first=kind == WSMsgType.TEXT)
        elif kind == WSMsgType.BINARY:
            self._fail(CloseCode.NOT_TEXT)
        elif kind == WSMsgType.PING and self._receiver.beat(self):
            transport.send_pong(frame.payload)

    def _message(self, payload: bytes) -> None:
        self._taken += self._receiver.message(self, payload) - 1

    def _assemble(self, frame: "_Frame", *, first: bool) -> None:
        """Collect a fragmented message, up to the size of a whole one."""
        if first == (self._pieces is not None):
            self._fail(CloseCode.PROTOCOL)
            return
        pieces = self._pieces = self._pieces or []
        pieces.append(frame.payload)
        if sum(map(len, pieces)) > FRAME_BYTES:
            self._fail(CloseCode.TOO_BIG)
        elif len(pieces) > FRAGMENTS:
            self._fail(CloseCode.PROTOCOL)
        elif frame.last:
            self._pieces = None
            self._message(b"".join(pieces))

    def _fail(self, code: CloseCode) -> None:
        self._pieces = None
        self._receiver.fail(self, code)


class _Frame(NamedTuple):
    """A WebSocket frame that outlives the buffer it was read into."""

    kind: WSMsgType
    last: bool
    reserved: bool
    payload: bytes

    @classmethod
    def of(cls, frame: WSFrame) -> "_Frame":
        """Return a copy."""
        reserved = bool(frame.rsv1 or frame.rsv2 or frame.rsv3)
        return cls(frame.msg_type, frame.fin, reserved, frame.get_payload_as_bytes())


def _goodbye(payload: bytes) -> WSCloseCode:
    """Return the code that answers a close: the peer's, unless none may be sent so (RFC 6455)."""
    if not payload:
        return WSCloseCode.OK
    code = int.from_bytes(payload[:2], "big")
    if not SENDABLE[0] <= code <= SENDABLE[1] or code in UNSENDABLE:
        return WSCloseCode.PROTOCOL_ERROR
    return cast("WSCloseCode", code)
