"""The gateway's port on a raw socket: what no well-behaved client sends.

H41, H42; attack table, rows 19, 20, 54.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.frames import CloseCode
from kit.bus.memory import MemoryBus
from kit.web.edge import SECURITY_HEADERS
from tests.integration.gateway.desk import Desk, opened

pytestmark = pytest.mark.integration

TIMEOUT_S = 10

UPGRADE = (
    b"Host: desk",
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Protocol: peakdesk.v1",
)
"""The header lines of a good upgrade request."""


class Wire:
    """A raw connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> tuple[int, dict[bytes, bytes], Any]:
        """Return status, headers and JSON body of the next answer."""
        async with asyncio.timeout(TIMEOUT_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            lines = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line]
            fields = {name.lower(): value for name, value in lines}
            body = await self.reader.readexactly(int(fields.get(b"content-length", 0)))
        return int(head.split()[1]), fields, json.loads(body) if body else None

    async def refusal(self) -> tuple[int, str]:
        """Return status and code of a problem document with all our headers, then the close."""
        status, fields, shown = await self.answer()
        assert fields[b"content-type"] == b"application/problem+json"
        assert {name.encode() for name in SECURITY_HEADERS} <= fields.keys()
        assert fields[b"connection"] == b"close"
        assert (shown["status"], shown["type"]) == (status, f"urn:peakdesk:problem:{shown['code']}")
        await self.closed()
        return status, shown["code"]

    async def closed(self) -> None:
        """Wait until the gateway has closed, and check that it says no more."""
        async with asyncio.timeout(TIMEOUT_S):
            assert await self.reader.read() == b""


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A gateway on a bus in memory: no test here needs a broker."""
    async with opened(MemoryBus(partitions=1)) as found:
        yield found


@contextlib.asynccontextmanager
async def wire(desk: Desk, *lines: bytes, body: bytes = b"") -> AsyncIterator[Wire]:
    """Connect and send these lines as a request's head."""
    port = int(desk.url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\r\n".join((*lines, b"", body)))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_an_upgrade_keeps_to_the_rules_for_headers(desk: Desk) -> None:
    wanted = [
        ([b"Authorization: Bearer a", b"authorization: Bearer b"], "repeated_header"),
        ([b"Authorization: Bearer a", b"Authorization: Bearer a"], "repeated_header"),
        ([b"Content-Type: a", b"Content-Type: a"], "repeated_header"),
        ([b"If-Match: \xff"], "header_not_ascii"),
        ([b"Webhook-Id: \xe4\xba\xb2"], "header_not_ascii"),
        ([b"Host: desk"], "bad_host"),
    ]
    for lines, code in wanted:
        async with wire(desk, b"GET /v1/ws HTTP/1.1", *UPGRADE, *lines) as raw:
            assert await raw.refusal() == (400, code), lines


async def test_other_bytes_outside_ascii_do_not_hinder_an_upgrade(desk: Desk) -> None:
    async with wire(desk, b"GET /v1/ws HTTP/1.1", *UPGRADE, b"X-Shop: \xff\xe4") as raw:
        assert (await raw.answer())[0] == 101


async def test_sockets_and_requests_know_their_client_by_the_same_chain() -> None:
    trusted = "127.0.0.1, 10.0.0.0/24"
    chain = (b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-For: 203.0.113.9, 10.0.0.7")
    async with opened(MemoryBus(partitions=1), trusted_proxies=trusted) as desk:
        head = (b"GET /v1/ws HTTP/1.1", *UPGRADE)
        async with wire(desk, *head, *chain) as raw, wire(desk, *head) as bare:
            assert (await raw.answer())[0] == 101
            assert (await bare.answer())[0] == 101
            known = {stranger.address for stranger in desk.service.sockets.registry.unauthenticated}
            assert known == {"203.0.113.9", "127.0.0.1"}


KEY, VERSION = UPGRADE[3], UPGRADE[4]
FORMS: dict[str, tuple[list[bytes], int, str]] = {
    "no key": ([KEY], 400, "bad_handshake"),
    "a short key": ([KEY, b"Sec-WebSocket-Key: x"], 400, "bad_handshake"),
    "a key that is none": ([KEY, b"Sec-WebSocket-Key: " + b"\xff" * 24], 400, "bad_handshake"),
    "two keys": ([b"", KEY], 400, "bad_handshake"),
    "no version": ([VERSION], 400, "bad_handshake"),
    "version 8": ([VERSION, b"Sec-WebSocket-Version: 8"], 400, "bad_handshake"),
    "a list of versions": ([VERSION, b"Sec-WebSocket-Version: 13, 8"], 400, "bad_handshake"),
    "a large head": ([b"", b"X: " + b"y" * 20_000], 431, "head_too_large"),
    "no subprotocol": ([UPGRADE[5]], 400, "bad_subprotocol"),
}
"""What is left out of a good upgrade request, and put into it."""


async def test_every_refused_upgrade_is_a_problem_document(desk: Desk) -> None:
    for name, (change, status, code) in FORMS.items():
        lines = [line for line in UPGRADE if line != change[0]] + change[1:]
        async with wire(desk, b"GET /v1/ws HTTP/1.1", *lines) as raw:
            assert await raw.refusal() == (status, code), name


async def test_a_bug_behind_the_handshake_shows_nothing_of_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.service.sockets.handshake, "_ready", {}.popitem)
    async with wire(desk, b"GET /v1/ws HTTP/1.1", *UPGRADE) as raw:
        assert await raw.refusal() == (500, "internal")


async def test_what_follows_the_handshake_at_once_is_read_as_frames(desk: Desk) -> None:
    early_ping = b"\x89\x80\x00\x00\x00\x00"
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    for body, code in ((early_ping, CloseCode.PROTOCOL), (request, 1002)):
        async with wire(desk, b"GET /v1/ws HTTP/1.1", *UPGRADE, body=body) as raw:
            assert (await raw.answer())[0] == 101
            async with asyncio.timeout(TIMEOUT_S):
                said = await raw.reader.readexactly(4)
        assert (said[:1], said[2:4]) == (b"\x88", int(code).to_bytes(2, "big"))


CLOSES = {None: 1000, 1000: 1000, 1001: 1001, 3000: 3000, 4999: 4999} | dict.fromkeys(
    (0, 999, 1004, 1005, 1006, 1015, 5000, 65_535), 1002
)
"""What a client says goodbye with, and the answer."""


async def test_a_close_is_answered_with_a_code_that_may_be_sent(desk: Desk) -> None:
    for said, answered in CLOSES.items():
        payload = b"" if said is None else said.to_bytes(2, "big")
        frame = bytes([0x88, 0x80 | len(payload), 0, 0, 0, 0]) + payload
        async with wire(desk, b"GET /v1/ws HTTP/1.1", *UPGRADE) as raw:
            assert (await raw.answer())[0] == 101
            raw.writer.write(frame)
            async with asyncio.timeout(TIMEOUT_S):
                found = await raw.reader.read()
        assert (found[:1], found[2:4]) == (b"\x88", answered.to_bytes(2, "big")), said
