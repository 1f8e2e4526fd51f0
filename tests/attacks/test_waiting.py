"""Rows 22, 29, 30 and 31: attacks by doing nothing, or too slowly. All of them wait at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from contracts.frames import CloseCode
from contracts.people import Role
from kit.web.wire import ARRIVAL_LIMIT_S, UNREAD_LIMIT_S
from tests.attacks import watching
from tests.attacks.attacker import UPGRADE, Attacker, frame, head
from tests.attacks.cast import Cast
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import World

pytestmark = pytest.mark.journey

HELLO_S = 5.0
SLACK_S = 8.0
"""How much later than its limit a busy machine may notice it; the sweep itself takes a second."""

MANY = 100
"""Slow connections of each kind at once."""

CROWD = 1_200
"""Silent sockets of one address; the gateway lets a thousand wait for their hello."""

SPEAKERS, SAYS, WORTH_A_FRAME = 3, 15, 400
"""Sockets of one buyer, what each says in a second, and the characters of it: below the rate."""

SLOW_READER_S = 90
"""A queue fills within seconds and must then be full for ten; a busy machine takes its time."""

UNREAD = 300
"""Answers of 90 KB each: far more than what kernels keep for a reader."""

MIB = 1024 * 1024

HOST, JSON = ("Host", "localhost"), ("Content-Type", "application/json")


@dataclass
class Slow:
    """Who does nothing, and what must not suffer from it."""

    attacker: Attacker
    cast: Cast
    platform: Platform
    world: World


async def test_attack_22_29_31_who_keeps_silent_or_is_slow_is_ended_and_others_do_not_wait(
    platform: Platform, cast: Cast, world: World
) -> None:
    ways: tuple[Callable[[Slow], Awaitable[None]], ...] = (
        silent_before_hello,
        not_a_hello_first,
        slow_heads,
        slow_bodies,
        slow_upgrades,
        answers_left_unread,
        events_left_unread,
    )
    slows = [Slow(Attacker(platform.url), cast, platform, world) for _ in ways]
    over = asyncio.Event()
    honest = asyncio.create_task(others_do_not_wait(slows[0], over))
    try:
        await asyncio.gather(*(way(slow) for way, slow in zip(ways, slows, strict=True)))
    finally:
        over.set()
        for slow in slows:
            await slow.attacker.close()
    await honest


async def silent_before_hello(slow: Slow) -> None:
    """Row 22: silence ends after five seconds with 4002, with a token in the header too."""
    token = slow.cast.ours.token(Role.AGENT)
    phones = [await slow.attacker.dial(), await slow.attacker.dial(token=token)]
    begun = time.monotonic()
    codes = [await phone.close_code(HELLO_S + SLACK_S) for phone in phones]
    assert codes == [CloseCode.HEARTBEAT_LOST] * 2
    assert time.monotonic() - begun > HELLO_S - 1


async def not_a_hello_first(slow: Slow) -> None:
    """Row 22: any other frame first, and a second hello, end with 4501."""
    token = slow.cast.ours.token(Role.AGENT)
    phone = await slow.attacker.dial(token=token)
    phone.say(t="sub", id="s", s="inbox")
    assert await phone.close_code() == CloseCode.PROTOCOL
    phone = await slow.attacker.phone(token)
    phone.say(t="hello", v=1, token=token)
    assert await phone.close_code() == CloseCode.PROTOCOL


async def slow_heads(slow: Slow) -> None:
    """Row 29: a head that comes a byte a second is not waited for."""
    await trickle(slow, head("GET /v1/inbox HTTP/1.1", [HOST, ("X", "y" * 1_000)]))


async def slow_bodies(slow: Slow) -> None:
    """Row 29: nor is a body."""
    start = head("POST /v1/sessions HTTP/1.1", [HOST, JSON, ("Content-Length", "1000")])
    await trickle(slow, b" " * 1_000, first=start)


async def slow_upgrades(slow: Slow) -> None:
    """Row 29: nor is an upgrade."""
    await trickle(slow, head("GET /v1/ws HTTP/1.1", (*UPGRADE, ("X", "y" * 1_000))))


async def trickle(slow: Slow, data: bytes, first: bytes = b"") -> None:
    """Send a byte a second on many connections; assert that all of them are closed in time."""
    wires = [await slow.attacker.wire() for _ in range(MANY)]
    begun = time.monotonic()
    for wire in wires:
        await wire.send(first)
    for byte in data:
        for wire in wires:
            await wire.send(bytes([byte]))
        await asyncio.sleep(1)
        if all(wire.over for wire in wires):
            break
        assert time.monotonic() - begun < ARRIVAL_LIMIT_S + SLACK_S, "still open"
    for wire in wires:
        assert (await wire.rest())[:13] in {b"", b"HTTP/1.1 408 "}


async def answers_left_unread(slow: Slow) -> None:
    """Row 29: who asks and never reads the answers is cut: he finds a part of them at most."""
    wire = await slow.attacker.wire()
    wire.stop_reading()
    await wire.send(head("GET /openapi.json HTTP/1.1", [HOST]) * UNREAD)
    await asyncio.sleep(UNREAD_LIMIT_S + SLACK_S)
    wire.read_on()
    assert (await wire.rest()).count(b"HTTP/1.1 200 ") < UNREAD


async def events_left_unread(slow: Slow) -> None:
    """Row 31: a reader whose queue stays full is closed with 4001, and holds little memory."""
    buyer = await slow.world.visitor(slow.cast.ours.shop(slow.world))
    talk = (await buyer.call("POST", "/v1/conversations", {}))["id"]
    stream = f"conv:{talk}"
    before = watching.resident(slow.platform)["gateway"]
    reader = await slow.attacker.wire(receive_buffer=4_096)
    await reader.send(head("GET /v1/ws HTTP/1.1", UPGRADE))
    assert (await reader.answer()).status == 101
    hello = f'{{"t":"hello","v":1,"token":"{buyer.session.token}"}}'
    await reader.send(frame(hello.encode()))
    await reader.send(frame(f'{{"t":"sub","id":"s","s":"{stream}"}}'.encode()))
    await asyncio.sleep(1)
    reader.stop_reading()

    speakers = [await slow.attacker.phone(buyer.session.token) for _ in range(SPEAKERS)]
    for speaker in speakers:
        speaker.say(t="sub", id="s", s=stream)
        assert await speaker.code("s") is None
    closed, begun, number = _slow_readers(slow), time.monotonic(), 0
    while _slow_readers(slow) == closed:
        assert time.monotonic() - begun < SLOW_READER_S, "the slow reader is still there"
        for speaker in speakers:
            for _ in range(SAYS):
                number += 1
                speaker.message(stream, "长" * WORTH_A_FRAME, id=f"many-{number:06}")
            speaker.forget()
        await asyncio.sleep(1)
    assert watching.resident(slow.platform)["gateway"] - before < 64 * MIB


def _slow_readers(slow: Slow) -> float:
    found = watching.metrics(slow.platform)
    return watching.total(found, "peakdesk_socket_closes_total", code="4001")


async def others_do_not_wait(slow: Slow, over: asyncio.Event) -> None:
    """Somebody else is answered all the while."""
    attacker = Attacker(slow.platform.url)
    token = slow.cast.theirs.token(Role.AGENT)
    took = []
    try:
        phone = await attacker.phone(token)
        while not over.is_set():
            begun = time.monotonic()
            phone.say(t="ping", ts=begun)
            await phone.of("pong", ts=begun)
            answer = await attacker.ask("GET", "/v1/orders", token=token)
            assert answer.status_code == 200
            took.append(time.monotonic() - begun)
            await asyncio.sleep(0.5)
    finally:
        await attacker.close()
    assert sorted(took)[len(took) // 2] < 1, "the median of what others waited"


async def crowd(platform: Platform, cast: Cast, size: int) -> None:
    """Row 30: silent sockets of one address beyond the limit are refused, and memory is bound."""
    attacker = Attacker(platform.url)
    before = watching.resident(platform)["gateway"]
    statuses: list[int] = []
    request = head("GET /v1/ws HTTP/1.1", UPGRADE)

    async def one() -> None:
        wire = await attacker.wire()
        await wire.send(request)
        try:
            statuses.append((await wire.answer(30)).status)
        except EOFError:
            statuses.append(0)

    try:
        for _ in range(size // 100):
            await asyncio.gather(*(one() for _ in range(100)))
        assert set(statuses) <= {101, 429, 503, 0}
        assert statuses.count(429) + statuses.count(503) > 0
        assert watching.resident(platform)["gateway"] - before < 64 * MIB
        if attacker.address != "127.0.0.1":
            other = Attacker(platform.url)
            await other.phone(cast.ours.token(Role.AGENT))
            await other.close()
    finally:
        await attacker.close()

    async def forgotten() -> bool:
        late = Attacker(platform.url, attacker.address)
        try:
            await late.phone(cast.ours.token(Role.AGENT))
        except Exception:  # noqa: BLE001 - whatever refuses him, he is to be let in soon
            return False
        finally:
            await late.close()
        return True

    await eventually(forgotten, within=30, what="the address let in again")


async def test_attack_30_a_crowd_of_silent_sockets_is_refused(
    platform: Platform, cast: Cast
) -> None:
    await crowd(platform, cast, CROWD)


@pytest.mark.heavy
@pytest.mark.timeout(300)
async def test_attack_30_five_thousand_silent_sockets_are_refused(
    platform: Platform, cast: Cast
) -> None:
    await crowd(platform, cast, 5_000)
