"""Sockets on the same port as REST: uvicorn hands upgraded connections to this subclass of picows.

The class is not part of picows' exported API: the minor version is pinned and a test opens a real
socket through it. Knows no frame of ours.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, cast

from picows import (
    WSAutoPingStrategy,
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined] # not in picows' stubs

from contracts.frames import FRAME_BYTES
from services.gateway.sockets.handshake import HandshakeTooLarge, refusal

HANDSHAKE_S: Final = 5.0
HEAD_LIMIT: Final = 16 * 1024
"""Bytes of an upgrade request that picows reads; a larger one is answered 431."""

READ_BUFFER: Final = 2_048
"""Bytes at first: it grows with the frames that come, and an idle socket keeps this much."""

ListenerFactory = Callable[[WSUpgradeRequest, str], WSListener | WSUpgradeResponseWithListener]
"""Given the upgrade request and the peer's address, answers who listens, or a refusal."""


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """An adapter, because picows makes a new logger per connection out of a plain one."""


def websocket_class(factory: ListenerFactory) -> type[asyncio.Protocol]:
    """Return the class that uvicorn takes as `ws=`; `factory` sees each upgrade request."""
    quiet = _quiet()

    class Upgraded(WSProtocol):  # type: ignore[misc] # not in picows' stubs
        """One upgraded connection."""

        __slots__ = ("_peer",)

        # uvicorn passes these by name; there is nothing in them that a socket needs.
        def __init__(self, config: object, server_state: object, app_state: object) -> None:
            del config, server_state, app_state
            super().__init__(
                None,  # host and port: a client's
                None,  # path: a client's
                False,  # noqa: FBT003 - positional in picows: not the client side
                lambda request: factory(request, self._peer),
                quiet,
                True,  # noqa: FBT003 - an error in a listener disconnects
                HANDSHAKE_S,
                False,  # noqa: FBT003 - no pings by picows: the reaper watches for silence
                1,
                1,
                WSAutoPingStrategy.PING_WHEN_IDLE,
                False,  # noqa: FBT003 - pings are answered by the listener, which counts them
                FRAME_BYTES,
                None,
                READ_BUFFER,
            )

        def connection_made(self, transport: asyncio.Transport) -> None:
            self._peer = str((transport.get_extra_info("peername") or [""])[0])
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            """Take the upgrade request, whole as the listener hands it over, then what follows."""
            if self.listener is None and len(data) >= HEAD_LIMIT:
                self.transport.underlying_transport.write(_too_large())
                self.transport.disconnect()
                return
            rest = memoryview(data)
            while rest:
                room = self.get_buffer(-1)
                size = min(len(room), len(rest))
                room[:size] = rest[:size]
                rest = rest[size:]
                self.buffer_updated(size)

    return cast("type[asyncio.Protocol]", cast("Any", Upgraded))


def _quiet() -> _Quiet:
    logger = logging.getLogger("picows.server")
    logger.setLevel(logging.CRITICAL)  # what clients do wrong is counted, not logged line by line
    return _Quiet(logger, {})


def _too_large() -> bytearray:
    answer = refusal(HandshakeTooLarge())
    answer.headers["Connection"] = "close"
    found: bytearray = answer.to_bytes()
    return found
