"""Seats whose sends waited, taken a turn's worth at a time: 64 sends of 200 seats may wait at once.

Knows the event loop and whose turn it is; must not know what taking a send means.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from services.gateway.hub import Seat
from services.gateway.limits import FRAMES_A_TURN

TakeOne = Callable[[Seat], tuple[int, bool]]
"""Takes the next send of a seat; answers its weight, and whether the seat has more to take now."""


class SendTurns:
    """Seat after seat, in the order of `add`; others' frames come between two turns."""

    def __init__(self, take_one: TakeOne) -> None:
        self._take_one = take_one
        self._seats: deque[Seat] = deque()

    def __len__(self) -> int:
        return len(self._seats)

    def add(self, seat: Seat) -> None:
        """Take what waits at this seat, soon."""
        self._seats.append(seat)
        if len(self._seats) == 1:
            self._soon()

    def _soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._take)

    def _take(self) -> None:
        room = FRAMES_A_TURN
        try:
            while self._seats and room > 0:
                seat = self._seats.popleft()
                weight, more = self._take_one(seat)
                room -= weight
                if more:
                    self._seats.appendleft(seat)
        finally:
            if self._seats:
                self._soon()
