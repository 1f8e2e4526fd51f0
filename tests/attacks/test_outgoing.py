"""What PeakDesk sends to addresses that people typed in leads nowhere inside, and waits for nobody.

`kit.outgoing` over real sockets; which addresses are refused unsent, its unit tests know.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kit.outgoing import BODY_BYTES, AddressRefused, NotSent, Outgoing, StandIns, Unanswered
from tests.attacks.listener import Listener, certified, listening

pytestmark = pytest.mark.integration

PUBLIC = "203.119.205.1"


@asynccontextmanager
async def outgoing(*hosts: str, **how: Any) -> AsyncIterator[Outgoing]:
    made = Outgoing(StandIns(frozenset(hosts)), **how)
    try:
        yield made
    finally:
        await made.close()


class Names:
    """A name server that gives one answer after the other, and counts."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["::ffff:127.0.0.1"],
     [PUBLIC, "10.0.0.1"], ["64:ff9b::7f00:1"]],
)  # fmt: skip
async def test_attack_46_a_name_that_leads_inside_is_refused_when_it_is_resolved(
    addresses: list[str],
) -> None:
    async with outgoing(resolve=Names(addresses)) as out:
        with pytest.raises(AddressRefused) as refused:
            await out.post("https://127.0.0.1.nip.io/", b"{}", {})

    assert refused.value.reason == "private_address"


async def test_attack_46_a_name_is_resolved_once_and_what_it_says_next_changes_nothing() -> None:
    names = Names(["127.0.0.1"], ["127.0.0.66"])
    listener = Listener()
    async with listening(listener):
        place = f"robots.example.com:{listener.port}"
        async with outgoing(place, resolve=names) as out:
            answer = await out.post(f"http://{place}/hook?key=1", b"{}", {"X-One": "1"})

    assert (answer.status, answer.body, names.asked) == (200, b"ok", 1)
    (head,) = listener.heads
    assert head.startswith("POST /hook?key=1 HTTP/1.1\r\n")
    assert f"host: {place}" in head.lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_attack_46_nobody_is_followed_elsewhere(status: str) -> None:
    inside = Listener()
    async with listening(inside) as place:
        to = f"HTTP/1.1 {status}\r\nLocation: http://{place}/\r\nContent-Length: 0\r\n\r\n"
        async with listening(Listener([to.encode()])) as first, outgoing(first, place) as out:
            answer = await out.post(f"http://{first}/", b"{}", {})

    assert answer.status == int(status[:3])
    assert inside.heads == []


async def test_attack_46_a_certificate_must_be_of_the_name_not_of_the_address(
    tmp_path: Path,
) -> None:
    tls, trusted = certified(tmp_path, "robots.example.com")
    listener = Listener()
    async with listening(listener, tls):
        right, wrong = (
            f"{name}:{listener.port}" for name in ("robots.example.com", "other.example.com")
        )
        names = Names(["127.0.0.1"])
        async with outgoing(right, wrong, resolve=names, authorities=trusted) as out:
            answer = await out.post(f"https://{right}/", b"{}", {})
            with pytest.raises(NotSent):
                await out.post(f"https://{wrong}/", b"{}", {})
        async with outgoing(right, resolve=names) as distrusting:
            with pytest.raises(NotSent):
                await distrusting.post(f"https://{right}/", b"{}", {})

    assert answer.status == 200
    assert len(listener.heads) == 1


async def test_attack_47_an_answer_without_an_end_is_cut() -> None:
    listener = Listener([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 16_384], for_ever=True)
    async with listening(listener) as place, outgoing(place) as out:
        answer = await out.post(f"http://{place}/", b"{}", {})

    assert (answer.status, len(answer.body)) == (200, BODY_BYTES)


async def test_attack_47_a_head_without_an_end_is_no_answer() -> None:
    listener = Listener(
        [b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"y" * 4_096 + b"\r\n"], for_ever=True
    )
    async with listening(listener) as place, outgoing(place) as out:
        with pytest.raises(Unanswered):
            await out.post(f"http://{place}/", b"{}", {})


async def test_attack_47_what_is_packed_stays_packed() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    listener = Listener([head.encode(), bomb])
    async with listening(listener) as place, outgoing(place) as out:
        answer = await out.post(f"http://{place}/", b"{}", {})

    assert len(answer.body) <= BODY_BYTES
    assert answer.body == bomb[:BODY_BYTES]
    assert "accept-encoding: identity" in listener.heads[0].lower()


@pytest.mark.parametrize(
    "listener",
    [
        Listener([], stays=True),
        Listener([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"], stays=True),
    ],
    ids=["says nothing", "stops halfway"],
)
async def test_attack_47_who_does_not_answer_in_time_leaves_it_unknown(listener: Listener) -> None:
    async with listening(listener) as place, outgoing(place, timeout_s=0.3) as out:
        with pytest.raises(Unanswered):
            await asyncio.wait_for(out.post(f"http://{place}/", b"{}", {}), timeout=30)


async def test_whoever_is_not_reached_was_sent_nothing() -> None:
    listener = Listener()
    async with listening(listener) as place:
        pass
    async with outgoing(place) as out:
        with pytest.raises(NotSent):
            await out.post(f"http://{place}/", b"{}", {})

    def nowhere(host: str, port: int) -> Sequence[str]:
        raise OSError

    async with outgoing(resolve=nowhere) as out:
        with pytest.raises(NotSent):
            await out.post("https://robots.example.com/", b"{}", {})
