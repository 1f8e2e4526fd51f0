"""One upgraded connection: WebSocket frames in, messages out of them, complete frames back.

Knows RFC 6455 and who receives the messages; must not know what they mean.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Final, cast

import structlog
from multidict import CIMultiDict
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
from typing_extensions import override

from contracts.frames import FRAME_BYTES, CloseCode
from services.gateway.hub import Session

if TYPE_CHECKING:
    from services.gateway.sockets.reception import Reception

FRAGMENTS: Final = 256
"""Pieces that one message may come in; more close the socket with 4501."""

SEND_BUFFER: Final = 64 * 1024
"""Bytes that the kernel holds for one reader (Linux keeps twice that, half of it its own). Left to
itself it grows to 4 MiB: a slow reader would be noticed late, and thousands would fill the machine.
"""

_NO_HEADERS: Final[CIMultiDict[str]] = CIMultiDict()

_log: Final = structlog.get_logger("gateway.socket")


class Connection(WSListener):
    """Before `hello` it has no session; the reception gives it one or closes it."""

    __slots__ = (
        "_pieces",
        "_reception",
        "_transport",
        "_underlying",
        "address",
        "bearer",
        "closed_at",
        "closed_with",
        "opened_at",
        "session",
    )

    def __init__(self, reception: "Reception", *, address: str, bearer: str | None) -> None:
        super().__init__()
        self.address = address
        self.bearer = bearer
        self.session: Session | None = None
        self.opened_at = 0.0
        self.closed_at: float | None = None
        self.closed_with: int | None = None
        self._reception = reception
        self._transport: WSTransport | None = None
        self._underlying: asyncio.Transport | None = None
        self._pieces: list[bytes] | None = None

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
        self._reception.opened(self)

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        try:
            self._take(transport, frame)
        except Exception:
            _log.exception("socket.failed")  # picows then closes with 1011
            raise

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._underlying = None
        self._reception.left(self)

    @override
    def pause_writing(self) -> None:
        if self.session is not None:
            self.session.hold()

    @override
    def resume_writing(self) -> None:
        if self.session is not None:
            self.session.release()

    # ---- what a session calls (`hub.Wire`)

    def write(self, frame: bytes) -> None:
        """Hand over a complete frame; uvloop keeps what the kernel does not take at once."""
        if self._underlying is not None and self.closed_with is None:
            self._underlying.write(frame)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; the peer answers and the connection ends, or the sweep cuts it."""
        if self._transport is None or self.closed_with is not None:
            return
        self.closed_with = code
        self.closed_at = self._reception.now()
        # picows sends any code; its annotation knows only those of the RFC.
        self._transport.send_close(cast("WSCloseCode", code), reason)
        self._reception.closed(self, code)

    def abort(self) -> None:
        """Cut the connection."""
        if self._underlying is not None:
            self._underlying.abort()

    # ---- frames

    def _take(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif self.closed_with is not None:
            return
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._fail(CloseCode.PROTOCOL)  # no extension was negotiated
        elif kind == WSMsgType.TEXT and frame.fin and self._pieces is None:
            self._reception.message(self, frame.get_payload_as_bytes())
        elif kind in {WSMsgType.TEXT, WSMsgType.CONTINUATION}:
            self._assemble(frame, first=kind == WSMsgType.TEXT)
        elif kind == WSMsgType.BINARY:
            self._fail(CloseCode.NOT_TEXT)
        elif kind == WSMsgType.PING:
            payload = frame.get_payload_as_bytes()
            if self._reception.beat(self):
                transport.send_pong(payload)

    def _assemble(self, frame: WSFrame, *, first: bool) -> None:
        """Collect a fragmented message, up to the size of a whole one."""
        if first == (self._pieces is not None):
            self._fail(CloseCode.PROTOCOL)
            return
        pieces = self._pieces = self._pieces or []
        pieces.append(frame.get_payload_as_bytes())
        if sum(map(len, pieces)) > FRAME_BYTES:
            self._fail(CloseCode.TOO_BIG)
        elif len(pieces) > FRAGMENTS:
            self._fail(CloseCode.PROTOCOL)
        elif frame.fin:
            self._pieces = None
            self._reception.message(self, b"".join(pieces))

    def _fail(self, code: CloseCode) -> None:
        self._pieces = None
        self._reception.fail(self, code)
