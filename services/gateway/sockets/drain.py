"""Leaving without losing anybody's message: notice, no new sockets, goaway, flush, close (H17).

Knows the order; readiness, the listeners and the bus are closed by the process around it.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from contracts.frames import CloseCode
from kit.clock import Clock
from services.gateway.frames import server
from services.gateway.hub import Hub
from services.gateway.inbound import Inbound
from services.gateway.sockets.handshake import Handshake
from services.gateway.sockets.port import Peer

POLL_S: Final = 0.05
GOODBYE_S: Final = 1.0
"""Wait for the peers' goodbyes before the process closes their connections."""


class DrainTimes(NamedTuple):
    """Seconds before upgrades are refused, for clients to leave, for sends to be answered."""

    notice_s: float
    spread_s: float
    flush_s: float


class Drain:
    """The steps, in order, for `kit.process.App.drain`."""

    def __init__(
        self,
        hub: Hub,
        inbound: Inbound,
        *,
        handshake: Handshake,
        unauthenticated: AbstractSet[Peer],
        clock: Clock,
        times: DrainTimes,
        chance: random.Random,
    ) -> None:
        """`unauthenticated` are the connections that have not said hello, as they come and go."""
        self._hub = hub
        self._inbound = inbound
        self._handshake = handshake
        self._unauthenticated = unauthenticated
        self._clock = clock
        self._chance = chance
        self._times = times

    def steps(self) -> Sequence[Callable[[], Awaitable[object]]]:
        """Return the steps; readiness is off before the first."""
        return (self.notice, self.go_away, self.flush, self.close)

    async def notice(self) -> None:
        """Give the balancer time to see that readiness is off; then refuse upgrades."""
        await self._clock.sleep(self._times.notice_s)
        self._handshake.closed = True

    async def go_away(self) -> None:
        """Tell every client to come back elsewhere, each at its own moment."""
        deadline = self._clock.now_ms() + round(self._times.flush_s * 1000)
        for socket in self._hub.sockets():
            wait_ms = round(self._chance.uniform(0, self._times.spread_s) * 1000)
            frame = server.goaway(reconnect_after_ms=wait_ms, deadline_ms=deadline)
            socket.answer(frame)

    async def flush(self) -> None:
        """Wait until every send is answered and clients had time to leave by themselves."""
        begun = self._clock.monotonic()
        while self._clock.monotonic() - begun < self._times.flush_s:
            spread_over = self._clock.monotonic() - begun >= self._times.spread_s
            if not self._inbound.waiting and (spread_over or not len(self._hub)):
                return
            await self._clock.sleep(POLL_S)

    async def close(self) -> None:
        """Answer `retry` to what is left, close everybody with 4000, and see them off.

        Also who was upgraded just before and has not said hello: a late hello would be welcomed,
        and what is then said on that socket would be answered by nobody.
        """
        self._inbound.give_up()
        now = self._clock.monotonic()
        for socket in self._hub.sockets():
            socket.close(CloseCode.DRAINING, now)
        for peer in list(self._unauthenticated):
            peer.close(CloseCode.DRAINING, "draining")
        while self._somebody_left() and self._clock.monotonic() - now < GOODBYE_S:
            await self._clock.sleep(POLL_S)
        for socket in self._hub.sockets():
            socket.wire.abort()
        for peer in list(self._unauthenticated):
            peer.abort()

    def _somebody_left(self) -> bool:
        return bool(len(self._hub) or self._unauthenticated)
