"""A gateway on paper behind a real socket: welcomes, seats, and turns away when it is told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, cast

import msgspec
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)
from typing_extensions import override

LIMITS = {"frames_per_s": 1_000, "burst": 1_000}


class PaperGateway:
    """Answers every `hello` and `sub`, never a `send`. `refuses` is the status of an upgrade."""

    def __init__(self) -> None:
        self.url = ""
        self.refuses: HTTPStatus | None = None
        self.upgrades = 0
        self.sends = 0
        self._lines: list[WSTransport] = []

    def door(self, _: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        """Take or refuse an upgrade."""
        self.upgrades += 1
        if self.refuses is not None:
            refusal = WSUpgradeResponse.create_error_response(self.refuses, b"")
            return WSUpgradeResponseWithListener(refusal, None)
        return _Line(self)

    def close(self, code: int) -> None:
        """Close every socket."""
        lines, self._lines = self._lines, []
        for line in lines:
            line.send_close(cast("WSCloseCode", code), "told to")  # picows sends any code
            line.disconnect()

    def heard(self, line: WSTransport, frame: dict[str, Any]) -> None:
        """Answer a frame."""
        match frame["t"]:
            case "hello":
                self._lines.append(line)
                say(line, {"t": "ready", "limits": LIMITS})
            case "sub":
                say(line, {"t": "ok", "id": frame["id"], "d": {}})
                say(line, {"t": "snap", "s": frame["s"], "d": {"items": [], "conversations": []}})
            case "send":
                self.sends += 1


class _Line(WSListener):
    def __init__(self, gateway: PaperGateway) -> None:
        super().__init__()
        self._gateway = gateway

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self._gateway.heard(transport, msgspec.json.decode(frame.get_payload_as_bytes()))
        else:
            transport.disconnect()


def say(line: WSTransport, frame: dict[str, Any]) -> None:
    """Send a frame to a client."""
    line.send(WSMsgType.TEXT, msgspec.json.encode(frame))


@asynccontextmanager
async def opened() -> AsyncIterator[PaperGateway]:
    """A gateway that listens."""
    gateway = PaperGateway()
    server = await ws_create_server(gateway.door, "127.0.0.1", 0)
    gateway.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield gateway
    finally:
        gateway.close(1001)
        server.close()
