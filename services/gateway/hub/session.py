"""One authenticated socket: who it is, what it is subscribed to, and its bounded way out.

5,000 of these are idle at once. Knows how to hold frames back when the reader is slow (H15), and
who waits for a stream (H40); must not know what frames mean or what a stream carries.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from contracts.frames import CloseCode
from kit.web.limits import TokenBucket
from services.gateway.hub.person import Person

REASONS: Final = {
    CloseCode.NOT_TEXT: "text frames only",
    CloseCode.NOT_UTF8: "not UTF-8",
    CloseCode.TOO_BIG: "too big",
    CloseCode.DRAINING: "draining",
    CloseCode.SLOW_READER: "slow reader",
    CloseCode.HEARTBEAT_LOST: "heartbeat lost",
    CloseCode.RATE: "rate",
    CloseCode.BAD_POSITION: "bad position",
    CloseCode.TOKEN_EXPIRED: "token expired",
    CloseCode.BAD_TOKEN: "bad token",
    CloseCode.PROTOCOL: "protocol error",
    CloseCode.VERSION: "version",
    CloseCode.REVOKED: "revoked",
    CloseCode.REPLACED: "replaced",
    CloseCode.TOO_MANY: "too many connections",
}


class Wire(Protocol):
    """The socket itself: takes complete WebSocket frames."""

    def write(self, frame: bytes) -> None:
        """Hand over; never waits."""

    def close(self, code: int, reason: str) -> None:
        """Say goodbye after what was written."""

    def abort(self) -> None:
        """Cut the connection now."""


class QueueLimits(NamedTuple):
    """How much may wait for one slow reader; at either limit the queue is full."""

    frames: int = 256
    octets: int = 1024 * 1024


class Abandoned(Exception):
    """The subscription is over, or its socket is: whoever works for it stops."""


class NeedsSnapshot(Exception):
    """There is no way on from the client's position: it subscribes again without one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StreamKind(Protocol):
    """The kind of stream that a subscription belongs to."""

    def leave(self, subscription: "Subscription") -> None:
        """Forget a subscription of this kind that is over."""


class Subscription:
    """One socket's hold on the stream `s`, from `sub` to `unsub` or until the socket leaves.

    `left` tells that it is over. `owed` holds the ids of `sub` frames that a join under way will
    answer; None among them stands for a stream that `hello` named. Whoever answers takes them, so
    each is answered once.
    """

    __slots__ = ("kind", "left", "owed", "s", "socket")

    def __init__(self, socket: "SocketSession", s: str, kind: StreamKind) -> None:
        self.socket = socket
        self.s = s
        self.kind = kind
        self.owed: tuple[str | None, ...] = ()
        self.left = False

    @property
    def awaited(self) -> bool:
        """Tell whether anybody waits for what this subscription brings."""
        return not (self.left or self.socket.closing)

    def check(self) -> None:
        """Raise `Abandoned` if nobody waits any more."""
        if not self.awaited:
            raise Abandoned

    def take_owed(self) -> tuple[str | None, ...]:
        """Return the ids that are owed an answer; the caller answers them now."""
        owed, self.owed = self.owed, ()
        return owed


class SocketSession:
    """A socket that has said hello.

    Frames go straight to the wire until it pushes back; then they wait here, up to the limits.
    `drained` is called when everything that waited is written after the queue had been full.
    `subscriptions` holds everything that this socket watches or is being joined to, by its `s`.
    """

    __slots__ = (
        "_drained",
        "_limits",
        "_patches",
        "_queue",
        "_queued",
        "bucket",
        "closing_since",
        "forbidden",
        "full_since",
        "heard_at",
        "id",
        "instance",
        "paused",
        "person",
        "strikes",
        "subscriptions",
        "wire",
    )

    def __init__(
        self,
        wire: Wire,
        person: Person,
        *,
        socket_id: str,
        bucket: TokenBucket,
        limits: QueueLimits,
        drained: Callable[["SocketSession"], None],
        now: float,
        instance: str | None = None,
    ) -> None:
        self.wire = wire
        self.person = person
        self.id = socket_id
        self.instance = instance
        self.bucket = bucket
        self.heard_at = now
        self.subscriptions: dict[str, Subscription] = {}
        self.strikes = 0
        self.forbidden = 0
        self.paused = False
        self.full_since: float | None = None
        self.closing_since: float | None = None
        self._limits = limits
        self._drained = drained
        self._queue: deque[bytes] | None = None
        self._queued = 0
        self._patches: dict[tuple[str, bytes], bytes] | None = None

    @property
    def closing(self) -> bool:
        """Tell whether goodbye was said; whatever is offered then is dropped."""
        return self.closing_since is not None

    def offer(self, frame: bytes) -> bool:
        """Write the frame or let it wait. False: the queue is full and the frame was not taken."""
        if self.closing_since is not None:
            return True
        if self.full_since is not None:
            return False
        if not self.paused and not self._queue:
            self.wire.write(frame)
            return True
        if self._queue is None:
            self._queue = deque()
        if (
            len(self._queue) >= self._limits.frames
            or self._queued + len(frame) > self._limits.octets
        ):
            return False
        self._queue.append(frame)
        self._queued += len(frame)
        return True

    def answer(self, frame: bytes) -> None:
        """Write an answer that is owed. Who sends but does not read is closed with 4001."""
        if not self.offer(frame):
            self.close(CloseCode.SLOW_READER, self.heard_at)

    def patch(self, s: str, frame: bytes, *, key: bytes = b"") -> None:
        """Write a frame of which only the latest matters: it replaces one that still waits.

        Only one of the same stream and key: other rows' words wait beside it.
        """
        if not self.paused and not self._queue and self.full_since is None:
            if not self.closing:
                self.wire.write(frame)
        elif self._patches is None:
            self._patches = {(s, key): frame}
        else:
            self._patches[s, key] = frame

    def lossy(self, frame: bytes) -> None:
        """Write a frame that nobody misses; a slow reader does not get it."""
        if not (self.paused or self._queue or self.closing):
            self.wire.write(frame)

    def full(self, now: float) -> None:
        """Note that a frame was withheld: from now on nothing is taken until all is drained."""
        if self.full_since is None:
            self.full_since = now

    def hold(self) -> None:
        """The wire pushes back."""
        self.paused = True

    def release(self) -> None:
        """The wire takes frames again: write what waited."""
        self.paused = False
        while self._queue and not self.paused:
            frame = self._queue.popleft()
            self._queued -= len(frame)
            self.wire.write(frame)
        if self._queue or self.paused:
            return
        self._queue = None
        if self._patches:
            waiting, self._patches = self._patches, None
            for frame in waiting.values():
                self.wire.write(frame)
        if self.full_since is not None:
            self._drained(self)

    def close(self, code: CloseCode, now: float) -> None:
        """Close with one of the protocol's codes; the first one stands."""
        if self.closing_since is None:
            self.closing_since = now
            self._queue = self._patches = None
            self.wire.close(code, REASONS[code])
