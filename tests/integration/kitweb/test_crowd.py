"""The listener under many connections and many bodies: what one address may take of it (H42)."""

import pytest

from kit.web.capacity import Bodies
from kit.web.forwarded import TrustedProxies
from tests.integration.kitweb.raw import Connection, Server, listening, request, sized, token
from tests.waiting import eventually

pytestmark = pytest.mark.integration

SILENT = b"GET /nothing HTTP/1.1\r\nhost: desk\r\n\r\n"


async def test_an_address_has_so_many_connections_without_a_token() -> None:
    async with listening(unauthenticated=3) as server:
        first = [await server.connect() for _ in range(3)]
        await first[0].send(SILENT)
        assert (await first[0].answer())[0] == 404
        surplus = await server.connect()
        assert await surplus.refusal() == (429, "too_many")
        assert surplus.fields[b"retry-after"] == b"1"

        await first[0].send(b"GET /me HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer x\r\n\r\n")
        assert (await first[0].answer())[0] == 401
        assert await (await server.connect()).refusal() == (429, "too_many")

        await first[0].send(b"GET /me HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer ")
        await first[0].send(token().encode() + b"\r\n\r\n")
        assert await first[0].answer() == (200, {"text": "a"})
        fourth = await server.connect()
        await fourth.send(SILENT)
        assert (await fourth.answer())[0] == 404

        await first[0].send(SILENT)
        assert (await first[0].answer())[0] == 404
        assert await (await server.connect()).refusal() == (429, "too_many")
        first[1].writer.close()
        await eventually(lambda: not crowded(server))


def crowded(server: Server) -> bool:
    return server.listener.shared.connections.crowded("127.0.0.1")


async def test_a_trusted_proxy_speaks_for_many() -> None:
    async with listening(unauthenticated=2, proxies=TrustedProxies("127.0.0.1")) as server:
        connections = [await server.connect() for _ in range(10)]
        for connection in connections:
            await connection.send(SILENT)
            assert (await connection.answer())[0] == 404


async def test_a_full_listener_says_so() -> None:
    async with listening(connections=4, proxies=TrustedProxies("127.0.0.1")) as server:
        inside = [await server.connect() for _ in range(4)]
        await inside[-1].send(SILENT)
        assert (await inside[-1].answer())[0] == 404
        for _ in range(20):
            surplus = await server.connect()
            assert await surplus.refusal() == (503, "unavailable")
            assert surplus.fields[b"retry-after"] == b"1"
        inside[0].writer.close()
        await eventually(lambda: not server.listener.shared.connections.full)
        late = await server.connect()
        await late.send(SILENT)
        assert (await late.answer())[0] == 404


async def test_bodies_in_flight_are_limited_in_bytes() -> None:
    bodies = Bodies(limit=100_000, share=60_000)
    async with listening(bodies, proxies=TrustedProxies("127.0.0.1")) as server:
        parked: list[Connection] = []
        for client in (b"203.0.113.1", b"203.0.113.2"):
            parked.append(await server.connect())
            lines = [b"x-forwarded-for: " + client, b"content-length: 60000"]
            await parked[-1].send(request(b"x" * 49_000, *lines))
        await eventually(lambda: bodies.total == 98_000)

        other = await server.connect()
        await other.send(sized(b'{"text": "' + b"y" * 5_000 + b'"}'))
        assert await other.refusal() == (503, "unavailable")
        assert other.fields[b"retry-after"] == b"1"
        small = await server.connect()
        await small.send(sized(b'{"text": "hi"}'))
        assert await small.answer() == (200, {"text": "hi"})

        for connection in parked:
            connection.writer.close()
        await eventually(lambda: bodies.total == 0)
        await (again := await server.connect()).send(sized(b'{"text": "' + b"y" * 50_000 + b'"}'))
        assert (await again.answer())[0] == 200
        await eventually(lambda: bodies.total == 0)


async def test_one_address_has_its_share_of_them() -> None:
    bodies = Bodies(limit=100_000, share=20_000)
    async with listening(bodies, proxies=TrustedProxies("127.0.0.1")) as server:
        for client, status in ((b"203.0.113.1", 503), (b"203.0.113.2", 200)):
            parked = await server.connect()
            lines = [b"x-forwarded-for: 203.0.113.1", b"content-length: 60000"]
            await parked.send(request(b"x" * 15_000, *lines))
            await eventually(lambda: bodies.total >= 15_000)
            other = await server.connect()
            body = b'{"text": "' + b"y" * 10_000 + b'"}'
            await other.send(sized(body, b"x-forwarded-for: " + client))
            assert (await other.answer())[0] == status
            parked.writer.close()
            await eventually(lambda: bodies.total == 0)
