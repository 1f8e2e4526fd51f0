"""Frames that the gateway sends, as complete WebSocket frames: header and payload, ready to write.

A server's frames are not masked, so one encoding serves every socket. Knows no socket.
"""

from datetime import datetime
from typing import Final

import msgspec

from contracts.base import rfc3339
from kit.errors import AppError
from services.gateway.frames.refusals import encoded_problem

_TEXT: Final = 0x81
_SHORT: Final = 126
_MEDIUM: Final = 1 << 16

_encode: Final = msgspec.json.Encoder().encode


def json(value: object) -> bytes:
    """Return a value as JSON."""
    return _encode(value)


def wire(payload: bytes) -> bytes:
    """Return the payload as one unmasked WebSocket text frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < _SHORT:
        return bytes((_TEXT, size)) + payload
    if size < _MEDIUM:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


def payload_of(frame: bytes) -> bytes:
    """Undo `wire`."""
    size = frame[1]
    return frame[2:] if size < _SHORT else frame[4:] if size == _SHORT else frame[10:]


def sent(client_id: str, message_id: str, *, position: tuple[int, int]) -> bytes:
    """Answer a send that is in the log. The ids are known to need no escaping."""
    return wire(
        f'{{"t":"ok","id":"{client_id}","d":{{"client_id":"{client_id}",'
        f'"message_id":"{message_id}","position":[{position[0]},{position[1]}]}}}}'.encode()
    )


def ok(frame_id: str | None, d: dict[str, object]) -> bytes:
    """Answer anything else that was done."""
    return wire(_encode({"t": "ok", "id": frame_id, "d": d}))


def err(frame_id: str | None, error: AppError) -> bytes:
    """Answer with a problem."""
    named = _encode(frame_id)
    return wire(b'{"t":"err","id":%b,"problem":%b}' % (named, encoded_problem(error)))


def event(s: str, body: bytes, *, position: tuple[int, int] | None = None) -> bytes:
    """Return `ev` for a stream; `body` comes from `records.body`, the same for every position."""
    if position is None:
        return wire(b'{"t":"ev","s":"%b",%b}' % (s.encode(), body))
    return wire(b'{"t":"ev","s":"%b","position":[%d,%d],%b}' % (s.encode(), *position, body))


def item(s: str, body: bytes, *, position: tuple[int, int]) -> bytes:
    """Return the same as one item of a snapshot's history."""
    return b'{"s":"%b","position":[%d,%d],%b}' % (s.encode(), *position, body)


def replayed(archived: bytes) -> bytes:
    """Return an item of the archive, which is an object shaped like `ev`, as an `ev`."""
    return wire(b'{"t":"ev",' + archived[1:])


def snap(s: str, d: bytes, *, position: tuple[int, int] | None = None) -> bytes:
    """Return `snap`; `d` is JSON."""
    shown = b"null" if position is None else b"[%d,%d]" % position
    return wire(b'{"t":"snap","s":"%b","position":%b,"d":%b}' % (s.encode(), shown, d))


def patch(s: str, d: bytes, *, key: bytes = b"") -> bytes:
    """Return `patch`, of one row of the stream if there is a key; `d` is JSON."""
    k = b'"k":"%b",' % key if key else b""
    return wire(b'{"t":"patch","s":"%b",%b"d":%b}' % (s.encode(), k, d))


def resync(s: str, reason: str) -> bytes:
    """Tell the client to subscribe again without a position."""
    return wire(_encode({"t": "resync", "s": s, "reason": reason}))


def goaway(*, reconnect_after_ms: int, deadline_ms: int) -> bytes:
    """Tell the client to go elsewhere soon."""
    return wire(
        _encode(
            {
                "t": "goaway",
                "reason": "draining",
                "reconnect_after_ms": reconnect_after_ms,
                "deadline_ms": deadline_ms,
            }
        )
    )


def pong(ts: object, now: datetime) -> bytes:
    """Answer a heartbeat."""
    return wire(_encode({"t": "pong", "ts": ts, "server_time": rfc3339(now)}))


def ready(fields: dict[str, object]) -> bytes:
    """Answer `hello`."""
    return wire(_encode({"t": "ready", **fields}))
