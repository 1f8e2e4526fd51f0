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

Position = tuple[int, int]

SEEN_LIMIT: Final = 4_096
"""Message ids remembered per stream; older ones lie far behind any resume position."""

RESEND_AFTER_S: Final = 0.5
"""First wait before unanswered sends of a stream go out again; doubles up to four times that.

A partition has a new leader some 6 s after its broker was killed: in one run with waits of up to
4 s an ok came after 10.3 s, in two runs with waits of up to 2 s after 5.2 and 7.4 s.
"""

_RESEND_DOUBLINGS: Final = 2

_LATER: Final = frozenset({"retry", "rate_limited"})
"""Problem codes that say: the same send, a little later."""

Write = Callable[[dict[str, Any]], None]


class Frame(msgspec.Struct):
    """Any frame of the server, or an item of a snapshot; absent fields are None."""

    t: str = "ev"
    s: str | None = None
    id: str | None = None
    position: Position | None = None
    type: str | None = None
    time: str | None = None
    version: int | None = None
    d: Any = None
    problem: dict[str, Any] | None = None
    reconnect_after_ms: int | None = None
    limits: dict[str, int] | None = None

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
    written: bool = False


@dataclass(slots=True)
class Stream:
    """One subscription across reconnects. Position and seen ids live and die together (H5)."""

    name: str
    write: Write
    rng: random.Random
    position: Position | None = None
    live: asyncio.Event = field(default_factory=asyncio.Event)
    joining: asyncio.Lock = field(default_factory=asyncio.Lock)
    refused: str | None = None
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _stalled: bool = False
    _stalls: int = 0

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
        """Send now, or once the stream is subscribed and no earlier send is stalled (H6)."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        pending = self._pending[frame["id"]] = _Pending(frame, answered)
        if self.subscribed and not self._stalled:
            self._put(pending)
        return answered

    def answer(self, frame: Frame) -> bool:
        """Take the `ok` or `err` of a send; False when no send of this stream has its id."""
        pending = self._pending.get(frame.id or "")
        if pending is None:
            return False
        if frame.code in _LATER:
            self._stall()
        elif frame.code == "confirm" and "confirm" not in pending.frame:
            pending.frame["confirm"] = (frame.problem or {}).get("confirm")
            self._put(pending)
        else:
            self._settle(pending, frame)
        return True

    def resend(self) -> None:
        """Put every unanswered send on the wire, oldest first; one that was there is a resend."""
        self._stalled = False
        if self.subscribed:
            for pending in self._pending.values():
                if pending.written:
                    pending.frame["again"] = True
                self._put(pending)

    def give_up(self, code: str) -> None:
        """End every open send with `code`: the session is over."""
        for pending in self._pending.values():
            if not pending.answered.done():
                pending.answered.set_result(Answer(code))
        self._pending.clear()

    def _put(self, pending: _Pending) -> None:
        pending.written = True
        self.write(pending.frame)

    def _settle(self, pending: _Pending, frame: Frame) -> None:
        del self._pending[pending.frame["id"]]
        if not self._pending:
            self._stalls = 0
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

    def _stall(self) -> None:
        """Hold the stream's sends back, then put all of them out again in order."""
        if self._stalled:
            return
        self._stalled = True
        wait = RESEND_AFTER_S * 2 ** min(self._stalls, _RESEND_DOUBLINGS)
        self._stalls += 1
        asyncio.get_running_loop().call_later(wait * self.rng.uniform(0.5, 1.0), self.resend)

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
