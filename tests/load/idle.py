"""Idle sockets by the thousand, each a person of its own on a conversation of its own.

Opens them, waits until nothing moves and says what they cost the process that holds them.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import asyncpg
from picows import WSInvalidStatusError, WSMsgType, WSTransport
from pydantic import SecretStr

from contracts.people import Role
from kit.clock import SystemClock
from kit.web.auth import TokenIssuer
from launcher import services
from launcher.postgres import addresses
from tests.load.generator import Book, Pair, Side, connect
from tests.load.processes import resident_bytes
from tests.platform import Platform
from tests.world import Person, Shop

SOCKETS: Final = 5_000
FIRST: Final = SOCKETS // 2
"""Opened before the measurement begins. They take what the process freed since its start, which
would hide a fifth of the cost: the second half shows what one more socket takes."""

AT_ONCE: Final = 50
STILL_S: Final = 1.0
"""Memory is read so often, until two readings agree to `STILL_BYTES`."""

STILL_BYTES: Final = 256 * 1024
STILL_TIMEOUT_S: Final = 30.0
HEARTBEAT_S: Final = 20.0
PING: Final = b'{"t":"ping"}'

TRIES: Final = 10
"""A gateway that is not ready answers 503, one that is busy `retry`: clients come again."""

RUN: Final = b"nothing is sent"

_BUYERS: Final = """
INSERT INTO conversation.buyers (id, shop_id, name, not_before)
SELECT b, $1, '买家', $2 FROM unnest($3::uuid[]) AS t (b)
"""
_TALKS: Final = """
INSERT INTO conversation.conversations (id, shop_id, buyer_id, skill_group_id, state, stage,
    version, assignment_version, agent_id, assigned_at, announced, opened_at, priority, subject)
SELECT c, $1, b, $2, 'assigned', 'welcome', 2, 2, $3, $4, true, $4, 0, ''
FROM unnest($5::uuid[], $6::uuid[]) AS t (c, b)
"""


async def seats(platform: Platform, shop: Shop, agent: Person) -> Sequence[tuple[str, str]]:
    """Write a buyer and a conversation for each socket into the database; return (id, buyer).

    Ten thousand calls of the public interface would take minutes and change nothing here.
    """
    groups = await shop.boss.call("GET", "/v1/skill-groups")
    ids = [str(uuid.uuid4()) for _ in range(SOCKETS)]
    buyers = [str(uuid.uuid4()) for _ in ids]
    now, group = datetime.now(UTC), groups["items"][0]["id"]
    connection = await asyncpg.connect(addresses.administrator(platform.known))
    try:
        await connection.execute(_BUYERS, shop.id, now, buyers)
        await connection.execute(_TALKS, shop.id, group, agent.id, now, ids, buyers)
    finally:
        await connection.close()
    return list(zip(ids, buyers, strict=True))


async def forget(platform: Platform, shop_id: str) -> None:
    """Delete the conversations again, so that no deadline is kept for them."""
    connection = await asyncpg.connect(addresses.administrator(platform.known))
    try:
        await connection.execute(
            "DELETE FROM conversation.conversations WHERE shop_id = $1", shop_id
        )
    finally:
        await connection.close()


def pairs(platform: Platform, shop_id: str, seated: Sequence[tuple[str, str]]) -> Sequence[Pair]:
    """Return each seat with a fresh token of its buyer, signed with the instance's own key."""
    private, _ = services.key_pair(platform.known, "people")
    issuer = TokenIssuer(SecretStr(private), SystemClock())
    return [
        Pair(
            conversation,
            issuer.issue(subject=buyer, role=Role.BUYER, shop_id=shop_id, name="买家"),
        )
        for conversation, buyer in seated
    ]


async def kib_each(pid: int, url: str, people: Sequence[Pair]) -> float:
    """Return how many KiB of its own a process holds for each socket after the first ones."""
    async with _opened(url, people[:FIRST]):
        before = await _still(pid)
        async with _opened(url, people[FIRST:]):
            after = await _still(pid)
    return (after - before) / (len(people) - FIRST) / 1024


@asynccontextmanager
async def _opened(url: str, people: Sequence[Pair]) -> AsyncIterator[None]:
    """Hold a socket for each of them open. Raises `ConnectionError` if one was lost meanwhile."""
    turn = asyncio.Semaphore(AT_ONCE)
    sockets: list[WSTransport] = []

    async def one(person: Pair) -> None:
        async with turn:
            sockets.append(await _patiently(url, person))

    beating = asyncio.create_task(_beat(sockets))
    try:
        await asyncio.gather(*map(one, people))
        yield
        lost = sum(socket.is_disconnected for socket in sockets)
        if lost:
            raise ConnectionError(f"{lost} of {len(sockets)} sockets were closed meanwhile")
    finally:
        beating.cancel()
        for socket in sockets:
            socket.disconnect()


async def _patiently(url: str, person: Pair) -> WSTransport:
    for _ in range(TRIES):
        side = Side(Book(0), [0.0], RUN, False)  # noqa: FBT003 - the buyer's end
        try:
            return await connect(url, side, person, person.buyer_token)
        except (WSInvalidStatusError, ConnectionError):
            await asyncio.sleep(STILL_S)
    raise ConnectionError(f"{url} let somebody in at none of {TRIES} tries")


async def _beat(sockets: Sequence[WSTransport]) -> None:
    """Say now and then that the client is there, as `peakdesk.v1` asks; silence is closed."""
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        for socket in sockets:
            if not socket.is_disconnected:
                socket.send(WSMsgType.TEXT, PING)


async def _still(pid: int, read: Callable[[int], int] = resident_bytes) -> int:
    """Return the memory of a process once it has settled."""
    async with asyncio.timeout(STILL_TIMEOUT_S):
        last = read(pid)
        while True:
            await asyncio.sleep(STILL_S)
            now = read(pid)
            if abs(now - last) < STILL_BYTES:
                return now
            last = now
