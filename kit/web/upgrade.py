"""A connection on its way to the protocol of its sockets: whether it wants to go, and how it goes.

Knows uvicorn's connections; must not know limits or what a socket says.
"""

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kit.web.head import Line


def wants_socket(method: bytes, version: str, lines: Sequence[Line]) -> bool:
    """Tell whether the request asks, in HTTP/1.1 and plain words, for a WebSocket (RFC 6455)."""
    upgrades = [value.lower() for name, value in lines if name == b"upgrade"]
    wishes = b",".join(value.lower() for name, value in lines if name == b"connection")
    return (method, version, upgrades) == (b"GET", "1.1", [b"websocket"]) and b"upgrade" in [
        wish.strip() for wish in wishes.split(b",")
    ]


def hand_over(connection: HttpToolsProtocol, rest: bytes) -> None:
    """Give a connection to the socket's protocol, with what came behind the request."""
    connection.connections.discard(connection)
    connection.flow.resume_reading()
    assert connection.ws_protocol_class is not None
    protocol: Any = connection.ws_protocol_class(  # type: ignore[call-arg] # uvicorn's own arguments
        config=connection.config,
        server_state=connection.server_state,
        app_state=connection.app_state,
    )
    transport = connection.transport
    protocol.connection_made(transport)
    protocol.data_received(_plain(connection.url, connection.headers))
    transport.set_protocol(protocol)
    if rest and not transport.is_closing():
        protocol.data_received(rest)


def _plain(target: bytes, lines: Sequence[Line]) -> bytes:
    """Return the request in the one form that every reader understands.

    Firefox says `keep-alive, Upgrade`.
    """
    kept = [line for line in lines if line[0] not in {b"connection", b"upgrade"}]
    kept += [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    head = b"".join(name + b": " + value + b"\r\n" for name, value in kept)
    return b"GET " + target + b" HTTP/1.1\r\n" + head + b"\r\n"
