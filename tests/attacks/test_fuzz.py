"""Thousands of requests and frames that are a little wrong, from right ones of every kind.

The same seed makes the same ones; a failure names it, and what was sent.
"""

import asyncio
import random
import re
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx2
import pytest

from contracts.frames import CloseCode
from contracts.people import Role
from kit.web.problems import MEDIA_TYPE
from tests.attacks import watching
from tests.attacks.attacker import Attacker, frame, head, shows_nothing
from tests.attacks.cast import House, victim
from tests.attacks.fuzzing import Mutator, Request, Sampler, encoded
from tests.integration.gateway.phone import Phone
from tests.platform import Platform
from tests.waiting import eventually

pytestmark = pytest.mark.journey

SEED: Final = 11_11
FEW: Final = 600
MANY: Final = 5_000

AT_ONCE: Final = 8
"""Mutations under way at the same time."""

WIRE_SHARE: Final = 0.1
"""Of the requests, those whose bytes are mutated; who waits for more is left after a moment."""

WIRE_S: Final = 1.0
ANSWER_S: Final = 30.0
"""Until the last frame of a socket must be answered; how fast is what other tests ask."""
PER_SOCKET: Final = 30
"""Frames said on one socket: below its burst."""

GROWTH: Final = 24 * 1024 * 1024
"""Bytes that a service may have grown by after a pass of the same size as one before."""

_LABEL: Final = re.compile(r'\w+="(?:[^"\\]|\\.)*"')

CODES: Final = frozenset(code.value for code in CloseCode) | {1000, 1002, 1006}


@dataclass
class Fuzz:
    """One pass: so many mutations of one seed, and what was answered."""

    platform: Platform
    house: House
    seed: int
    document: Mapping[str, Any]
    attacker: Attacker
    answers: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    async def run(self, count: int) -> None:
        """Send half of them as requests, half as frames."""
        requests = self.requests(count // 2)
        batches = [self.frames(number) for number in range(count // 2 // PER_SOCKET + 1)]
        turn = asyncio.Semaphore(AT_ONCE)

        async def taken(work: Callable[[], Awaitable[None]]) -> None:
            async with turn:
                await work()

        await asyncio.gather(
            *(taken(lambda one=one: self.send(one)) for one in requests),  # type: ignore[misc]
            *(taken(lambda one=one: self.say(one)) for one in batches),  # type: ignore[misc]
        )

    # ---- requests

    def requests(self, count: int) -> list[Request]:
        """Return mutated requests: every operation in turn, by every role in turn."""
        rng = random.Random(self.seed)
        sampler, mutator = Sampler(self.document, self.known(), rng), Mutator(rng)
        made: list[Request] = []
        roles = [*self.house.people, ""]
        while len(made) < count:
            for right in sampler.requests():
                role = roles[len(made) % len(roles)]
                wrong = mutator.request(right)
                raw = mutator.octets(_bytes(wrong)) if rng.random() < WIRE_SHARE else None
                made.append(Request(**{**vars(wrong), "role": role, "raw": raw}))
        return made[:count]

    def known(self) -> Mapping[str, str]:
        """Return real ids by the names of parameters and fields."""
        absent = str(uuid.UUID(int=self.seed))
        return {
            "conversation_id": self.house.conversation,
            "shop_id": self.house.id,
            "shop": self.house.id,
            "agent_id": self.house.people[Role.AGENT],
            "to_agent": self.house.people[Role.SENIOR],
            "staff_id": absent,
            "order_id": absent,
            "case_id": absent,
            "work_id": absent,
            "profile": "qiyu",
            "from": "2026-11-11",
            "to": "2026-11-12",
            "limit": "5",
        }

    async def send(self, request: Request) -> None:
        """Send one and judge the answer."""
        token = self.house.token(Role(request.role)) if request.role else None
        if request.raw is not None:
            await self._send_raw(request.raw)
            return
        headers = {"Content-Type": "application/json", **request.headers}
        content = None if request.body is None else encoded(request.body)
        try:
            answer = await self.attacker.ask(
                request.method,
                request.target,
                token=None if "Authorization" in headers else token,
                headers=headers,
                content=content,
            )
        except (httpx2.LocalProtocolError, httpx2.InvalidURL):
            self.answers["not sent"] += 1
            return
        except httpx2.HTTPError as error:
            self.bad.append(f"{type(error).__name__}: {request}")
            return
        self.answers[str(answer.status_code)] += 1
        if fault := _fault(answer.status_code, dict(answer.headers), answer.content):
            self.bad.append(f"{fault}: {request}")

    async def _send_raw(self, data: bytes) -> None:
        try:
            answer = await self.attacker.exchange(data, WIRE_S)
        except (TimeoutError, EOFError, ConnectionError):
            self.answers["no answer"] += 1
            return
        self.answers[str(answer.status)] += 1
        if fault := _fault(answer.status, dict(answer.headers), answer.body):
            self.bad.append(f"{fault}: {data!r}")

    # ---- frames

    def frames(self, number: int) -> list[bytes]:
        """Return what one socket says."""
        rng = random.Random(f"{self.seed} {number}")
        mutator = Mutator(rng)
        seeds = list(self.seeds(number))
        return [mutator.frame(rng.choice(seeds)) for _ in range(PER_SOCKET)]

    def seeds(self, number: int) -> Iterator[dict[str, Any]]:
        """Yield a right frame of every type; `hello` is always a second one here."""
        streams = [
            f"conv:{self.house.conversation}",
            "inbox",
            f"monitor:{self.house.id}",
            f"board:{self.house.id}",
        ]
        stream, place = streams[number % len(streams)], {"position": [0, number]}
        client = {"name": "fuzz", "version": "1", "instance": "x"}
        yield {"t": "hello", "v": 1, "token": "x", "client": client, "resume": [{"s": stream}]}
        for s in (stream, streams[0]):
            yield {"t": "sub", "id": f"sub-{number}", "s": s, **(place if number % 2 else {})}
        yield {"t": "unsub", "id": f"unsub-{number}", "s": stream}
        bodies = (
            ("text", {"text": "在吗"}),
            ("image", {"url": "https://a.example/x.png", "alt": "图"}),
            ("card", {"title": "订单", "lines": [{"sku": "K-1"}]}),
        )
        for kind, d in bodies:
            name = f"fuzz-{self.seed}-{number}-{kind}"
            yield {"t": "send", "id": name, "s": streams[0], "kind": kind, "d": d, "again": True}
        yield {"t": "read", "s": streams[0], **place}
        yield {"t": "typing", "s": streams[0]}
        yield {"t": "ping", "ts": number}
        yield {"t": "token", "id": "t", "token": self.house.token(Role.BUYER)}

    async def say(self, frames: list[bytes]) -> None:
        """Say all of them on one socket, or on the next where one was closed."""
        roles = (Role.BUYER, Role.AGENT, Role.SUPERVISOR)
        role = roles[sum(map(len, frames)) % len(roles)]
        phone: Phone | None = None
        for data in frames:
            if phone is None or phone.closed is not None:
                phone = await self._phone(role)
            if phone is None:
                return
            phone.transport.underlying_transport.write(frame(data))
            self.answers["frame"] += 1
            await asyncio.sleep(0)
        assert phone is not None
        if phone.closed is None:
            await self._hear_out(phone, frames)
        self._judge(phone, frames)
        await phone.close()

    async def _hear_out(self, phone: Phone, frames: list[bytes]) -> None:
        """Wait until all was answered: a ping comes last. Over the rate it is refused, so again."""
        deadline = asyncio.get_running_loop().time() + ANSWER_S
        while not _is_over(phone):
            assert asyncio.get_running_loop().time() < deadline, f"no answer after {frames}"
            phone.say(t="ping", ts="last")
            await asyncio.sleep(1)

    async def _phone(self, role: Role) -> Phone | None:
        """Return a socket; of a person unknown so far, where this one was logged out just now."""
        forger = self.house.forger(role)
        for token in (forger.token(), forger.token(sub=str(uuid.uuid4()))):
            phone = await self.attacker.dial()
            phone.say(t="hello", v=1, token=token)
            await eventually(partial(_is_answered, phone), within=ANSWER_S)
            if phone.frames:
                return phone
        return None

    def _judge(self, phone: Phone, frames: list[bytes]) -> None:
        self.answers[f"close {phone.closed}"] += phone.closed is not None
        if phone.closed is not None and phone.closed not in CODES:
            self.bad.append(f"closed with {phone.closed}: {frames}")
        for one in phone.frames:
            problem = one.get("problem", {})
            if problem.get("status") in {500, 502, 504} or problem.get("code") == "internal":
                self.bad.append(f"{problem}: {frames}")
            if problem:
                shows_nothing(str(problem).encode())


async def test_a_few_hundred_wrong_requests_and_frames_break_nothing(
    platform: Platform,
) -> None:
    await passes(platform, FEW, strict=False)


@pytest.mark.heavy
@pytest.mark.timeout(1_800)
async def test_thousands_of_wrong_requests_and_frames_break_nothing_and_leave_nothing(
    platform: Platform,
) -> None:
    await passes(platform, MANY, strict=True)


async def passes(platform: Platform, count: int, *, strict: bool) -> None:
    """Fuzz; `strict` does it twice and looks at what the second time left behind."""
    logs, house = watching.Logs(platform), await victim(platform)
    print(f"seed {SEED}, {count} mutations")  # noqa: T201 - what a failure is repeated with
    await one_pass(platform, house, count)
    if strict:
        memory, known = watching.resident(platform), _label_values(platform)
        await one_pass(platform, house, count)
        grown = {n: after - memory[n] for n, after in watching.resident(platform).items()}
        print(f"grown by {grown}")  # noqa: T201
        assert max(grown.values()) < GROWTH, grown
        new = {name: now - known[name] for name, now in _label_values(platform).items()}
        assert all(len(new[name]) <= len(known[name]) * 0.05 for name in known), new
    assert [line for line in logs.exceptions() if "bus.dead_letter" not in line] == []
    assert all(platform.is_ready(name) for name in watching.NAMES)


async def one_pass(platform: Platform, house: House, count: int) -> None:
    """Send so many, and assert that none was answered as it must not be."""
    attacker = Attacker(platform.url)
    try:
        document = (await attacker.ask("GET", "/openapi.json")).json()
        fuzz = Fuzz(platform, house, SEED, document, attacker)
        await fuzz.run(count)
    finally:
        await attacker.close()
    print(dict(sorted(fuzz.answers.items())))  # noqa: T201
    assert not fuzz.bad, f"seed {SEED}: {fuzz.bad[:5]}"
    assert fuzz.answers["frame"] > count / 4


def _is_answered(phone: Phone) -> bool:
    return phone.closed is not None or bool(phone.frames)


def _is_over(phone: Phone) -> bool:
    return phone.closed is not None or any(one.get("ts") == "last" for one in phone.frames)


def _fault(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Return what is wrong with an answer, empty if nothing is."""
    if status in {500, 502, 504}:
        return f"answered {status}"
    if status == httpx2.codes.SERVICE_UNAVAILABLE and "retry-after" not in headers:
        return "503 without Retry-After"
    if status >= httpx2.codes.BAD_REQUEST and body and headers.get("content-type") != MEDIA_TYPE:
        return f"{status} is no problem document"
    try:
        shows_nothing(body)
    except AssertionError:
        return f"{status} shows the inside"
    return ""


def _bytes(request: Request) -> bytes:
    body = b"" if request.body is None else encoded(request.body)
    headers = [
        ("Host", "localhost"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *request.headers.items(),
    ]
    return head(f"{request.method} {request.target} HTTP/1.1", headers, body)


def _label_values(platform: Platform) -> Mapping[str, AbstractSet[str]]:
    """Return what stands in the labels of each service's metrics.

    Known values in new company, such as another status of a route, are no growth: these end.
    """
    return {
        name: {
            label for series in watching.metrics(platform, name) for label in _LABEL.findall(series)
        }
        for name in watching.NAMES
    }
