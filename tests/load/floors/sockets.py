"""What every floor shares: uvicorn handing upgrades to picows, and the frames it must speak.

A floor is as small as honesty allows: it authenticates nobody, checks nothing, remembers nothing.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any, Final

import msgspec
import uvicorn
import uvloop
from fastapi import FastAPI
from picows import WSAutoPingStrategy, WSFrame, WSListener, WSMsgType, WSTransport
from picows.picows import WSProtocol  # type: ignore[attr-defined] # not in picows' stubs
from typing_extensions import override

FRAME_LIMIT: Final = 64 * 1024
TICK_S: Final = 0.005
"""Sends of so long are handed to the producer together, as the product does."""


class Frame(msgspec.Struct):
    """A client's frame."""

    t: str
    id: str = ""
    s: str = ""
    d: msgspec.Raw = msgspec.Raw(b"{}")


DECODER: Final = msgspec.json.Decoder(Frame)
Subscribers = defaultdict[bytes, list[WSTransport]]


class Socket(WSListener):
    """One client: answers `hello` and `sub`, hands `send` on."""

    def __init__(
        self, subscribers: Subscribers, on_send: Callable[[WSTransport, Frame], None]
    ) -> None:
        super().__init__()
        self._subscribers, self._on_send = subscribers, on_send

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            transport.disconnect()
            return
        asked = DECODER.decode(frame.get_payload_as_bytes())
        if asked.t == "send":
            self._on_send(transport, asked)
        elif asked.t == "hello":
            transport.send(WSMsgType.TEXT, b'{"t":"ready"}')
        elif asked.t == "sub":
            self._subscribers[asked.s.encode()].append(transport)
            transport.send(WSMsgType.TEXT, b'{"t":"ok","id":"%b","d":{}}' % asked.id.encode())


def acknowledge(transport: WSTransport, client_id: str) -> None:
    """Answer a send."""
    if not transport.is_disconnected:
        name = client_id.encode()
        transport.send(
            WSMsgType.TEXT, b'{"t":"ok","id":"%b","d":{"client_id":"%b"}}' % (name, name)
        )


def show(subscribers: Subscribers, stream: bytes, offset: int, body: bytes) -> None:
    """Send one event to everybody who follows its stream; the frame is made once."""
    frame = b'{"t":"ev","s":"%b","position":[0,%d],"id":"%d","d":%b}' % (
        stream, offset, offset, body,
    )  # fmt: skip
    for transport in subscribers.get(stream, ()):
        if not transport.is_disconnected:
            transport.send(WSMsgType.TEXT, frame)


def serve(
    make: Callable[[], WSListener],
    *,
    port: int,
    alongside: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Run a floor's sockets on `port` until SIGTERM, with one background job beside them."""
    quiet = logging.LoggerAdapter(logging.getLogger("floor"), {})

    class Upgraded(WSProtocol):  # type: ignore[misc] # not in picows' stubs
        """picows behind uvicorn's `ws=`: built by uvicorn and fed the upgrade request by it."""

        def __init__(self, config: object, server_state: object, app_state: object) -> None:
            off, on = bool(0), bool(1)  # picows takes its switches by position
            super().__init__(
                None, None, off, lambda _: make(), quiet, on, 5.0, off, 1, 1,
                WSAutoPingStrategy.PING_WHEN_IDLE, off, FRAME_LIMIT, None, 2_048,
            )  # fmt: skip

        def data_received(self, data: bytes) -> None:
            rest = memoryview(data)
            while rest:
                room = self.get_buffer(-1)
                size = min(len(room), len(rest))
                room[:size] = rest[:size]
                self.buffer_updated(size)
                rest = rest[size:]

    async def main() -> None:
        job = None if alongside is None else asyncio.create_task(alongside())
        config = uvicorn.Config(
            FastAPI(), host="127.0.0.1", port=port, ws=Upgraded, log_level="error"
        )
        await uvicorn.Server(config).serve()
        if job is not None:
            job.cancel()

    uvloop.run(main())
