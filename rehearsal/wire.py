"""One upgraded connection of the reference client: opens it, hands over its frames and its end.

Must not know what a frame means.
"""

from typing import Protocol

import msgspec
from picows import (
    WSCloseCode,
    WSFrame,
    WSInvalidStatusError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)
from typing_extensions import override

from contracts.frames import SUBPROTOCOL
from rehearsal.endings import UpgradeRefused, is_for_good
from rehearsal.streams import Frame


class Hears(Protocol):
    """Who is behind the connection."""

    def received(self, frame: Frame) -> None:
        """Take one frame of the server."""

    def disconnected(self, code: int) -> None:
        """Take the end of the connection."""


async def opened(url: str, who: Hears, *, within_s: float) -> WSTransport:
    """Connect and upgrade.

    Raises `UpgradeRefused` where another try is of no use, `ConnectionResetError` if the line was
    lost before the upgrade was answered, else what `ws_connect` raises.
    """
    try:
        transport, _ = await ws_connect(
            lambda: _Listener(who),
            url,
            extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
            websocket_handshake_timeout=within_s,
        )
    except WSInvalidStatusError as refusal:
        if refusal.response is None or not is_for_good(int(refusal.response.status)):
            raise
        raise UpgradeRefused(int(refusal.response.status)) from refusal
    if transport.is_disconnected:
        # picows hands over a line that was lost meanwhile, and never says that it is gone.
        raise ConnectionResetError("the line was lost before the upgrade was answered")
    return transport


class _Listener(WSListener):
    def __init__(self, who: Hears) -> None:
        super().__init__()
        self._who = who
        self._decoder = msgspec.json.Decoder(Frame)

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self._who.received(self._decoder.decode(frame.get_payload_as_bytes()))
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()

    @override
    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._who.disconnected(_close_code(transport))


def _close_code(transport: WSTransport) -> int:
    """Return the server's close code; our own range comes as a plain number, not as an enum."""
    received: object = getattr(transport.close_handshake, "recv", None)
    code: object = getattr(received, "code", WSCloseCode.ABNORMAL_CLOSURE)
    return int(code.value if isinstance(code, WSCloseCode) else str(code))
