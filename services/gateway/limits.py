"""How fast frames may come, and whose turn it is to ask a neighbour: counts, no sockets.

Decides and counts; what happens to who is refused is the caller's business.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from kit.clock import Clock
from kit.web.limits import TokenBucket

STRIKES: Final = 3
"""Frames over the rate that close a socket; a quiet minute forgives them."""

FORGIVE_S: Final = 60.0

PEOPLE: Final = 20_000
"""People whose bucket is remembered; who came longest ago is forgotten, and begins with a full
one."""

FRAMES_A_TURN: Final = 8
"""Frames, by their weight against the rate, taken of one socket in one turn of the event loop, and
of all sends together that waited for a look-up. The rest waits until the others had their turn;
nothing more is read from the socket meanwhile, so what waits is what one read had brought."""

JOINS: Final = 64
"""Joins that ask a neighbour at once: a storm of reconnects waits instead of flooding it."""

JOINS_EACH: Final = 8
"""Of these for one person: whoever joins, leaves and joins again keeps nobody else waiting."""

JOIN_WAIT_S: Final = 5.0
"""Wait for one's turn to ask; then the client is told `retry`."""

FORBIDDEN: Final = 10
"""Subscriptions to foreign streams that close a socket."""


class Rate(NamedTuple):
    """Frames of one socket, or of all sockets of one person."""

    per_s: float
    burst: int

    def bucket(self, clock: Clock) -> TokenBucket:
        """Return a full bucket."""
        return TokenBucket(self.per_s, self.burst, clock)


class SharedRates:
    """One bucket per person, for those whose sockets share it: ten are not ten times a rate."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, subject: str) -> TokenBucket:
        """Return the person's bucket. It outlives the sockets: coming anew fills nothing."""
        bucket = self._buckets.get(subject)
        if bucket is None:
            bucket = self._buckets[subject] = self._rate.bucket(self._clock)
            if len(self._buckets) > PEOPLE:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(subject)
        return bucket


class FairTurns:
    """So much at once for everybody, of that so much for one person.

    Of who waits the newest goes first: after a storm of reconnects the oldest are the likeliest to
    have given up. Nobody waits longer than `wait_s`.
    """

    def __init__(
        self, *, everybody: int = JOINS, each: int = JOINS_EACH, wait_s: float = JOIN_WAIT_S
    ) -> None:
        self._free = everybody
        self._each = each
        self._wait_s = wait_s
        self._people: OrderedDict[str, _Queue] = OrderedDict()

    def __len__(self) -> int:
        return len(self._people)

    @asynccontextmanager
    async def of(self, subject: str) -> AsyncIterator[None]:
        """Hold a turn of this person. Raises `TimeoutError` if there is none in time."""
        own = self._people.setdefault(subject, _Queue())
        if self._free and own.held < self._each:
            self._free -= 1
            own.held += 1
        else:
            await self._wait(subject, own)
        try:
            yield
        finally:
            self._give_back(subject, own)

    async def _wait(self, subject: str, own: "_Queue") -> None:
        turn = asyncio.get_running_loop().create_future()
        own.waiting.append(turn)
        self._people.move_to_end(subject)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # granted in the step in which the wait ended
                self._give_back(subject, own)
            else:
                if turn in own.waiting:
                    own.waiting.remove(turn)
                self._forget(subject, own)
            raise

    def _give_back(self, subject: str, own: "_Queue") -> None:
        own.held -= 1
        self._free += 1
        self._forget(subject, own)
        # Passed over are people at their limit, and people who hold turns and want no more: fewer
        # than there are turns.
        for queue in reversed(self._people.values()):
            if queue.held < self._each and (turn := queue.newest()) is not None:
                self._free -= 1
                queue.held += 1
                turn.set_result(None)
                return

    def _forget(self, subject: str, own: "_Queue") -> None:
        if not own.held and not own.waiting and self._people.get(subject) is own:
            del self._people[subject]


class _Queue:
    """One person's turns, and the futures of who waits for one, the newest last."""

    __slots__ = ("held", "waiting")

    def __init__(self) -> None:
        self.held = 0
        self.waiting: list[asyncio.Future[None]] = []

    def newest(self) -> asyncio.Future[None] | None:
        """Take out who came last and still waits."""
        while self.waiting:
            turn = self.waiting.pop()
            if not turn.done():
                return turn
        return None
