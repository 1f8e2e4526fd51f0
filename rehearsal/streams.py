"""What a client knows of one stream: its position, the ids it has seen, the sends it waits for.

The client rules of `peakdesk.v1` without the socket: frames in, frames to write out.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from kit.clock import Clock, SystemClock

Position = tuple[int, int]

SEEN_LIMIT: Final = 4_096
"""Message ids remembered per stream; older ones lie far behind any resume position."""

RESEND_AFTER_S: Final = 1.0
"""Wait before a refused send goes out again where the refusal does not say how long."""

LATE: Final = 1.25
"""Longest wait, as a multiple of what was said: who was refused together comes back apart."""

RESEND_FOR_S: Final = 600.0
"""An older send is not put on the wire again by itself: the platform knows a repeat by its id for a
while, not for ever, and its sender may have said it in other words by then."""

TOO_OLD: Final = "too_old"
"""The code of the answer then."""

_LATER: Final = frozenset({"retry", "rate_limited"})
"""Problem codes that say: the same send, a little later."""

Write = Callable[[dict[str, Any]], None]


class Frame(msgspec.Struct):
    """Any frame of the server, or an item of a snapshot; absent fields are None."""

    t: str = "ev"
    s: str | None = None
    k: str | None = None
    id: str | None = None
    position: Position | None = None
    type: str | None = None
    time: str | None = None
    version: int | None = None
    d: Any = None
    problem: dict[str, Any] | None = None
    reconnect_after_ms: int | None = None
    limits: dict[str, int] | None = None
    frames_left: int | None = None

    @property
    def code(self) -> str | None:
        """The problem code of an `err` frame."""
        return None if self.problem is None else str(self.problem.get("code", "unknown"))


@dataclass(frozen=True, slots=True)
class Answer:
    """How a send ended: `code` None means acknowledged, else the problem's code."""

    code: str | None
    message_id: str | None = None
    position: Position | None = None


@dataclass(slots=True)
class _Pending:
    frame: dict[str, Any]
    answered: asyncio.Future[Answer]
    begun: float
    written: bool = False


@dataclass(slots=True)
class Stream:
    """One subscription across reconnects. Position and seen ids live and die together (H5)."""

    name: str
    write: Write
    rng: random.Random
    clock: Clock = field(default_factory=SystemClock)
    position: Position | None = None
    live: asyncio.Event = field(default_factory=asyncio.Event)
    joining: asyncio.Lock = field(default_factory=asyncio.Lock)
    refused: str | None = None
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _pause: asyncio.TimerHandle | None = None
    _probe: str | None = None

    @property
    def subscribed(self) -> bool:
        """Whether the server follows the stream for this connection."""
        return self.live.is_set()

    @property
    def unanswered(self) -> int:
        """Sends whose outcome is still open."""
        return len(self._pending)

    def subscribe_frame(self) -> dict[str, Any]:
        """Return the `sub` that starts the stream or resumes it where it stands."""
        frame: dict[str, Any] = {"t": "sub", "s": self.name}
        return frame if self.position is None else frame | {"position": self.position}

    def event(self, frame: Frame) -> bool:
        """Take an `ev`; False when its id was seen already and it must not be shown."""
        self._advance(frame.position)
        return frame.id is None or self._is_new(frame.id)

    def snapshot(self, frame: Frame) -> Iterator[Frame]:
        """Take a conversation's `snap`; yield the events in it that are new here."""
        for item in msgspec.convert(frame.d["items"], list[Frame]):
            if item.id is not None and self._is_new(item.id):
                yield item
        self._advance(frame.position)

    def send(self, frame: dict[str, Any]) -> asyncio.Future[Answer]:
        """Send now, or once the stream is subscribed and no refused send has to go first (H6)."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        pending = _Pending(frame, answered, self.clock.monotonic())
        self._pending[frame["id"]] = pending
        if self.subscribed and not self._pause and not self._probe:
            self._put(pending)
        return answered

    def answer(self, frame: Frame) -> bool:
        """Take the `ok` or `err` of a send; False when no send of this stream has its id."""
        pending = self._pending.get(frame.id or "")
        if pending is None:
            return False
        if frame.code in _LATER:
            self._refused(pending, frame.problem or {})
        elif frame.code == "confirm" and "confirm" not in pending.frame:
            pending.frame["confirm"] = (frame.problem or {}).get("confirm")
            self.write(pending.frame)
        else:
            self._settle(pending, frame)
        return True

    def resend(self) -> None:
        """Put every unanswered send on the wire, oldest first; end those that are too old."""
        self._stop_waiting()
        self._end_old()
        if self.subscribed:
            for pending in self._pending.values():
                self._put(pending)

    def give_up(self, code: str) -> None:
        """End every open send with `code`: the session is over."""
        self._stop_waiting()
        for pending in self._pending.values():
            if not pending.answered.done():
                pending.answered.set_result(Answer(code))
        self._pending.clear()

    def _put(self, pending: _Pending) -> None:
        if pending.written:
            pending.frame["again"] = True
        pending.written = True
        self.write(pending.frame)

    def _settle(self, pending: _Pending, frame: Frame) -> None:
        del self._pending[pending.frame["id"]]
        if pending.frame["id"] == self._probe:
            self.resend()
        details = frame.d if frame.t == "ok" else {}
        position = details.get("position")
        if not pending.answered.done():
            pending.answered.set_result(
                Answer(
                    frame.code,
                    details.get("message_id"),
                    None if position is None else (position[0], position[1]),
                )
            )

    def _refused(self, pending: _Pending, problem: dict[str, Any]) -> None:
        """Hold the stream's sends back for as long as the refusal says; then the oldest goes first.

        The others follow when it is answered: each of them would be refused with it (H6).
        """
        if problem.get("taken") is False:
            pending.written = "again" in pending.frame
        if self._pause or self._probe not in {None, pending.frame["id"]}:
            return
        self._probe = None
        told_ms = problem.get("retry_after_ms")
        wait_s = RESEND_AFTER_S if told_ms is None else told_ms / 1_000
        loop = asyncio.get_running_loop()
        self._pause = loop.call_later(wait_s * self.rng.uniform(1.0, LATE), self._try_oldest)

    def _try_oldest(self) -> None:
        self._pause = None
        self._end_old()
        if self.subscribed and self._pending:
            self._probe, oldest = next(iter(self._pending.items()))
            self._put(oldest)

    def _end_old(self) -> None:
        begun_after = self.clock.monotonic() - RESEND_FOR_S
        for client_id, pending in list(self._pending.items()):
            if pending.begun < begun_after:
                del self._pending[client_id]
                if not pending.answered.done():
                    pending.answered.set_result(Answer(TOO_OLD))

    def _stop_waiting(self) -> None:
        self._probe = None
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def _advance(self, position: Position | None) -> None:
        if position is not None:
            self.position = max(position, self.position or position)

    def _is_new(self, message_id: str) -> bool:
        if message_id in self._seen:
            return False
        self._seen[message_id] = None
        if len(self._seen) > SEEN_LIMIT:
            self._seen.popitem(last=False)
        return True
