"""Things that end and come back: services, Kafka, PostgreSQL, connections. One function per fault.

Each breaks something, checks what must hold meanwhile, heals it and says when.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from tests.faults.stage import Act, Outage, Stage
from tests.integration.gateway.phone import Phone
from tests.waiting import eventually
from tests.web import NO_TLS
from tests.world import Person

SENDS: Final = 5

ANSWER_S: Final = 20.0
"""Wait for an answer: what shares the machine decides how long that takes, not the promise."""

AGAIN_S: Final = 1.0
AGAIN_WITHIN_S: Final = 40.0
"""A client resends so often, and not for ever."""


def killed(name: str, *, away_s: float = 0.0) -> Act:
    """Kill -9 a process; start it again after `away_s`."""

    async def act(stage: Stage) -> Outage:
        broken_at = time.monotonic()
        await stage.kill(name)
        await asyncio.sleep(away_s)
        await stage.start(name)
        return Outage(broken_at, time.monotonic())

    return act


def kafka_away(away_s: float) -> Act:
    """Kill Kafka; sends meanwhile are answered `retry` at once and succeed later, once each."""

    async def act(stage: Stage) -> Outage:
        line = await _line(stage)
        broken_at = time.monotonic()
        await stage.kill("kafka-0")
        try:
            sends = await _refused_at_once(line)
            await asyncio.sleep(broken_at + away_s - time.monotonic())
        finally:
            await stage.start("kafka-0")
        healed_at = time.monotonic()
        await _sent_again(await line.dialled_again(stage), sends)
        return Outage(broken_at, healed_at)

    return act


def postgres_away(away_s: float) -> Act:
    """Kill PostgreSQL; REST meanwhile answers 503 with Retry-After, every service alike."""

    async def act(stage: Stage) -> Outage:
        broken_at = time.monotonic()
        await stage.kill("postgres")
        try:
            await asyncio.gather(*(_unavailable(stage, path) for path in _routes(stage)))
            await asyncio.sleep(broken_at + away_s - time.monotonic())
        finally:
            await stage.start("postgres")
        return Outage(broken_at, time.monotonic())

    return act


def drained(name: str) -> Act:
    """End a service as a deployment does, under load, and start it again."""

    async def act(stage: Stage) -> Outage:
        broken_at = time.monotonic()
        await asyncio.to_thread(stage.platform.drain, name)
        await stage.start(name)
        return Outage(broken_at, time.monotonic())

    return act


def paused(name: str, seconds: float) -> Act:
    """Stop a process in its tracks and let it go on."""

    async def act(stage: Stage) -> Outage:
        process = stage.platform.process(name)
        broken_at = time.monotonic()
        process.suspend()
        try:
            await asyncio.sleep(seconds)
        finally:
            process.resume()
        return Outage(broken_at, time.monotonic())

    return act


async def storm(stage: Stage) -> Outage:
    """Drop every socket at once."""
    broken_at = time.monotonic()
    stage.network.cut()
    return Outage(broken_at, time.monotonic())


def one_after_another(*acts: Act, between_s: float) -> Act:
    """Several faults in one rehearsal, each after the platform had a moment of peace."""

    async def act(stage: Stage) -> Outage:
        outages = []
        for one in acts:
            outages.append(await one(stage))
            await asyncio.sleep(between_s)
        return Outage(outages[0].broken_at, outages[-1].healed_at)

    return act


# -- Kafka away ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """A buyer's raw socket, subscribed to a conversation of its own."""

    buyer: Person
    phone: Phone
    conversation: str

    def send(self, client_id: str, **more: Any) -> None:
        """Send a message whose text is its client id."""
        self.phone.message(f"conv:{self.conversation}", client_id, id=client_id, **more)

    async def dialled_again(self, stage: Stage) -> "_Line":
        """Return a line on a fresh socket: one that was silent in a long outage is closed."""
        await self.phone.close()
        return await _dialled(stage, self.buyer, self.conversation)


async def _line(stage: Stage) -> _Line:
    buyer = await stage.world.visitor(await stage.world.shop())
    opened = await buyer.call("POST", "/v1/conversations", {})
    return await _dialled(stage, buyer, str(opened["id"]))


async def _dialled(stage: Stage, buyer: Person, conversation: str) -> _Line:
    phone = await Phone.dial(stage.network.url)
    phone.say(t="hello", v=1, token=buyer.session.token)
    await phone.of("ready")
    phone.say(t="sub", id="sub", s=f"conv:{conversation}")
    assert await phone.code("sub") is None
    return _Line(buyer, phone, conversation)


async def _refused_at_once(line: _Line) -> list[str]:
    """Send into the outage; return the client ids, all answered `retry`."""
    first, *others = sends = [str(uuid.uuid4()) for _ in range(SENDS)]
    line.send(first)
    assert await line.phone.code(first, within=ANSWER_S) == "retry"  # after two seconds (H18)
    for client_id in others:
        line.send(client_id)
        line.phone.say(t="ping", ts=client_id)
        await line.phone.of("pong", within=ANSWER_S, ts=client_id)
        # At once: an answer that had waited for the broker would come after that of the ping.
        assert await line.phone.code(client_id, within=0) == "retry"
    return sends


async def _sent_again(line: _Line, sends: list[str]) -> None:
    """Resend until every one is acknowledged; each is then in the history once, in order."""

    async def all_land() -> bool:
        line.phone.forget()
        for client_id in sends:
            line.send(client_id, again=True)
        codes = [await line.phone.code(client_id) for client_id in sends]
        assert set(codes) <= {None, "retry", "rate_limited"}, codes
        return set(codes) == {None}

    async def all_stored() -> bool:
        page = await line.buyer.call("GET", f"/v1/conversations/{line.conversation}/messages")
        said = [item["d"]["d"]["text"] for item in page["items"] if _is_message(item)]
        assert len(said) == len(set(said)), said
        return said == sends[::-1]

    await _again(all_land)
    await _again(all_stored)
    await line.phone.close()


def _is_message(item: Mapping[str, Any]) -> bool:
    return str(item["type"]).startswith("chat.message")


async def _again(works: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(AGAIN_WITHIN_S):
        while not await works():  # noqa: ASYNC110 - asks a service, nobody tells
            await asyncio.sleep(AGAIN_S)


# -- PostgreSQL away ----------------------------------------------------------------------------


def _routes(stage: Stage) -> tuple[str, ...]:
    """Return one route of each service with a database."""
    return (
        "/v1/conversations",
        "/v1/orders",
        "/v1/cases",
        f"/v1/monitor/board?shop={stage.probes.staff.shop_id}",
    )


async def _unavailable(stage: Stage, path: str) -> None:
    """A route answers 503 and says when to come back; nothing else once PostgreSQL is gone."""
    headers = {"Authorization": f"Bearer {stage.probes.staff.session.token}"}
    async with httpx2.AsyncClient(
        base_url=stage.network.url, timeout=ANSWER_S, trust_env=False, verify=NO_TLS
    ) as http:

        async def refused() -> bool:
            answer = await http.get(path, headers=headers)
            assert answer.status_code in {200, 503}, (path, answer.status_code, answer.text)
            return answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE and bool(
                answer.headers.get("Retry-After")
            )

        await eventually(refused, within=ANSWER_S, what=f"503 from {path}")
        for _ in range(3):
            assert await refused(), f"{path} does not go on refusing"
