"""Open-loop chat load over `peakdesk.v1`, in a process of its own so that its CPU shows apart.

Reads one JSON job from standard input, prints `SEATED` once everybody is connected, and one JSON
result. The timetable is fixed before the
first send: message n is due at n / rate, goes to pair n mod pairs, buyer and agent in turn, and
every latency counts from that moment, however late the generator itself was.
"""

import asyncio
import json
import random
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import Any, Final

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from typing_extensions import override

from tests.load.sends import Sends

TEXT: Final = (
    "您好，我在双十一零点付款的那件羽绒服显示还在备货，想请问大概哪一天可以发出？家里老人正好换季要穿，"
    "如果这周来不及，能否先把同一单里的围巾寄过来，剩下的之后补发；另外门牌写错了，应该是三号楼二单元，"
    "麻烦帮忙核对备注，快递用哪家都可以，辛苦您费心了，祝店铺生意兴隆"
)
"""As somebody would write: a phrase said again and again, or nine zeros in a row, would send every
message down paths of the wording engine that few real ones take."""

_FIRST: Final = 213_546_879
"""The serial as it is written begins here."""

_MARK: Final = b"~"
_SERIAL_DIGITS: Final = 9

SEATED: Final = "seated"
"""Printed before the first send: what connecting costs is not what a message costs."""

QUIET_S: Final = 10.0
"""Waited at most for answers and screens after the last send."""

SEATED_S: Final = 60.0
"""Wait for one answer to `hello` or `sub`, while all others are seated too."""

CONNECT_AT_ONCE: Final = 50
STEP_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Pair:
    """A buyer and an agent in one conversation; tokens are empty where a floor wants none."""

    conversation: str
    buyer_token: str = ""
    agent_token: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What to send where. `warmup` seconds are sent but not measured.

    The two ends of a pair connect to different `urls` if there are several. `run` begins the id of
    every send, a UUIDv7 but for the nine digits of the serial that end it. With `resends` they keep
    to the rate and send again what is refused for now; else each message is sent once.
    """

    urls: tuple[str, ...]
    run: str
    rate: float
    seconds: float
    warmup: float
    pairs: tuple[Pair, ...]
    resends: bool = False

    @classmethod
    def read(cls, text: str) -> "Job":
        """Read a job from JSON."""
        fields: dict[str, Any] = json.loads(text)
        pairs = tuple(Pair(**pair) for pair in fields.pop("pairs"))
        return cls(urls=tuple(fields.pop("urls")), pairs=pairs, **fields)


class Book:
    """When each message was answered and shown, in seconds after the start; 0 means never."""

    def __init__(self, messages: int) -> None:
        self.acknowledged = array("d", bytes(8 * messages))
        self.shown = array("d", bytes(8 * messages))
        self.refused: dict[str, int] = {}
        self.refusals = array("H", bytes(2 * messages))
        self.doubled = 0
        self.out_of_order = 0
        self.open = messages


class Side(WSListener):
    """One end of a pair. Finds serials in raw frames: parsing JSON here would cost the CPU."""

    def __init__(self, book: Book, started: list[float], run: bytes, is_agent: bool) -> None:  # noqa: FBT001 - which end
        super().__init__()
        self._book, self._started, self._run, self._is_agent = book, started, run, is_agent
        self._newest = -1
        self.answers: dict[bytes, asyncio.Future[None]] = {}
        self.sends: Sends | None = None

    @override
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        data = frame.get_payload_as_bytes()
        kind = data[6:8]
        if kind == b"ev":
            self._shown(data)
        elif kind == b"ok":
            self._answered(data)
        elif kind == b"er":
            self._refused(data)
        elif kind == b"re" and b"ready" in self.answers:
            self.answers.pop(b"ready").set_result(None)

    def _shown(self, data: bytes) -> None:
        end = data.rfind(_MARK)
        if end < 0:
            return
        serial = int(data[end - _SERIAL_DIGITS : end]) - _FIRST
        # Even serials are the buyer's: a side measures only what the other side said.
        if (serial % 2 == 0) is not self._is_agent:
            return
        book = self._book
        if book.shown[serial]:
            book.doubled += 1
        elif serial < self._newest:
            book.out_of_order += 1
        else:
            self._newest = serial
        book.shown[serial] = time.perf_counter() - self._started[0]

    def _answered(self, data: bytes) -> None:
        at = data.find(self._run)
        if at < 0:
            self._subscribed(data)
            return
        start = at + len(self._run)
        serial = int(data[start : start + _SERIAL_DIGITS]) - _FIRST
        if not self._book.acknowledged[serial]:
            self._book.acknowledged[serial] = time.perf_counter() - self._started[0]
            self._book.open -= 1
        if self.sends is not None:
            self.sends.answered(serial)

    def _subscribed(self, data: bytes) -> None:
        answer = self.answers.pop(b"sub", None)
        if answer is not None and not answer.done():
            answer.set_result(None)

    def _refused(self, data: bytes) -> None:
        frame = json.loads(data)
        code, frame_id = frame["problem"]["code"], str(frame["id"]).encode()
        self._book.refused[code] = self._book.refused.get(code, 0) + 1
        if frame_id.startswith(self._run):
            serial = int(frame_id.removeprefix(self._run)) - _FIRST
            self._book.refusals[serial] += 1
            if self.sends is not None:
                self.sends.refused(serial, frame["problem"])
            return
        answer = self.answers.pop(b"sub", None)
        if answer is not None and not answer.done():
            answer.set_exception(ConnectionError(code))


async def connect(url: str, side: Side, pair: Pair, token: str) -> WSTransport:
    """Open one socket, say hello and follow the pair's conversation."""
    transport, _ = await ws_connect(
        lambda: side, url, extra_headers={"Sec-WebSocket-Protocol": "peakdesk.v1"}
    )
    hello = {"t": "hello", "v": 1, "token": token}
    await _ask(transport, side, b"ready", hello)
    await _ask(transport, side, b"sub", {"t": "sub", "id": "s", "s": f"conv:{pair.conversation}"})
    return transport


async def _ask(transport: WSTransport, side: Side, answer: bytes, frame: dict[str, object]) -> None:
    side.answers[answer] = asyncio.get_running_loop().create_future()
    waiting = side.answers[answer]
    transport.send(WSMsgType.TEXT, json.dumps(frame).encode())
    async with asyncio.timeout(SEATED_S):
        await waiting


async def run(job: Job) -> dict[str, Any]:
    """Play the job and return its figures."""
    messages = ceil(job.rate * (job.seconds + job.warmup))
    book = Book(messages)
    started = [0.0]
    sides = await _connect_all(job, book, started)
    print(SEATED, flush=True)  # noqa: T201 - whoever started this waits for it
    cpu = time.process_time()
    started[0] = time.perf_counter()
    sent = 0
    while sent < messages:
        due = min(messages, int((time.perf_counter() - started[0]) * job.rate) + 1)
        while sent < due:
            pair, side = _place(sent, len(job.pairs))
            sides[pair][side].say(sent)
            sent += 1
        await asyncio.sleep(STEP_S)
    played = time.perf_counter() - started[0]
    cpu = time.process_time() - cpu
    deadline = time.perf_counter() + QUIET_S
    while time.perf_counter() < deadline:
        if not book.open and all(book.shown):
            break
        await asyncio.sleep(0.05)
    for end in chain.from_iterable(sides):
        end.leave()
    return _result(job, book, played, cpu)


def _place(serial: int, pairs: int) -> tuple[int, int]:
    """Return pair and side of a message: even serials are the buyer's."""
    return (serial // 2) % pairs, serial % 2


class End:
    """One end of a pair on its way out: writes what is due, or hands it to who sends again."""

    def __init__(self, transport: WSTransport, job: Job, pair: Pair) -> None:
        self._transport = transport
        self._head = f'{{"t":"send","id":"{job.run}'.encode()
        stream = f"conv:{pair.conversation}"
        self._middle = f'","s":"{stream}","kind":"text","d":{{"text":"{TEXT}'.encode()
        self.sends = Sends(self._write, random.Random(job.run + pair.conversation))
        self._resends = job.resends

    def say(self, serial: int) -> None:
        """Send a message that is due."""
        if self._resends:
            self.sends.say(serial)
        else:
            self._write(serial, False)  # noqa: FBT003 - the first try

    def leave(self) -> None:
        """Hang up."""
        self.sends.stop()
        self._transport.disconnect()

    def _write(self, serial: int, again: bool) -> None:  # noqa: FBT001 - as `Sends` calls it
        number = b"%09d" % (_FIRST + serial)
        tail = b'~"},"again":true}' if again else b'~"}}'
        self._transport.send(
            WSMsgType.TEXT, b"".join((self._head, number, self._middle, number, tail))
        )


async def _connect_all(job: Job, book: Book, started: list[float]) -> list[list[End]]:
    turn = asyncio.Semaphore(CONNECT_AT_ONCE)

    async def one(number: int, *, is_agent: bool) -> End:
        pair = job.pairs[number]
        side = Side(book, started, job.run.encode(), is_agent)
        async with turn:
            transport = await connect(
                job.urls[(number + is_agent) % len(job.urls)],
                side,
                pair,
                pair.agent_token if is_agent else pair.buyer_token,
            )
        end = End(transport, job, pair)
        if job.resends:
            side.sends = end.sends
        return end

    async def both(number: int) -> list[End]:
        ends = await asyncio.gather(one(number, is_agent=False), one(number, is_agent=True))
        return list(ends)

    return await asyncio.gather(*map(both, range(len(job.pairs))))


def _result(job: Job, book: Book, played: float, cpu: float) -> dict[str, Any]:
    first = ceil(job.rate * job.warmup)
    due = [n / job.rate for n in range(len(book.shown))]
    acks = [a - d for a, d in zip(book.acknowledged, due, strict=True) if a]
    measured = range(first, len(book.shown))
    lost = sum(1 for n in measured if book.acknowledged[n] and not book.shown[n])
    return {
        "rate": job.rate,
        "sent": len(book.shown),
        "sent_per_s": round(len(book.shown) / played, 1),
        "acknowledged": len(acks),
        "refused": book.refused,
        "lost": lost,
        "doubled": book.doubled,
        "out_of_order": book.out_of_order,
        "ack_ms": percentiles(
            [(book.acknowledged[n] - due[n]) * 1e3 for n in measured if book.acknowledged[n]]
        ),
        "screen_ms": percentiles(
            [(book.shown[n] - due[n]) * 1e3 for n in measured if book.shown[n]]
        ),
        **_goodput(job, book),
        "generator_cpu_s": round(cpu, 3),
        "played_s": round(played, 3),
    }


def _goodput(job: Job, book: Book) -> dict[str, Any]:
    """Return what arrived while it was measured, and how evenly: of all ends the least served."""
    begin, end = job.warmup, job.warmup + job.seconds
    arrived = sum(begin <= at < end for at in book.shown)
    ends = 2 * len(job.pairs)
    shares = [
        sum(0 < at < end for at in mine) / len(mine)
        for first in range(min(ends, len(book.shown)))
        if (mine := book.shown[first::ends])
    ]
    return {
        "goodput_per_s": round(arrived / job.seconds, 1),
        "least_share": round(min(shares, default=1.0), 3),
        "most_refusals": max(book.refusals, default=0),
    }


def percentiles(samples: Sequence[float]) -> dict[str, float | None]:
    """Return exact percentiles of samples in milliseconds."""
    ordered = sorted(samples)
    if not ordered:
        return {"p50": None, "p99": None, "p999": None}
    rank = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    return {
        name: round(ordered[max(0, ceil(share * len(ordered)) - 1)], 2)
        for name, share in rank.items()
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(Job.read(sys.stdin.read())))))  # noqa: T201 - its result
