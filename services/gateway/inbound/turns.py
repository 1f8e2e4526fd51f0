"""Subscriptions whose sends waited, taken a turn's worth at a time.

64 sends of each of a socket's 200 subscriptions may wait at once. Knows the event loop and whose
turn it is; must not know what taking a send means.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from services.gateway.hub import ConversationSubscription
from services.gateway.limits import FRAMES_A_TURN

TakeOne = Callable[[ConversationSubscription], tuple[int, bool]]
"""Takes the next send of a subscription; answers its weight, and whether more can be taken now."""


class SendTurns:
    """One after the other, in the order of `add`; others' frames come between two turns."""

    def __init__(self, take_one: TakeOne) -> None:
        self._take_one = take_one
        self._seats: deque[ConversationSubscription] = deque()

    def __len__(self) -> int:
        return len(self._seats)

    def add(self, subscription: ConversationSubscription) -> None:
        """Take what waits for this subscription, soon."""
        self._seats.append(subscription)
        if len(self._seats) == 1:
            self._soon()

    def _soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._take)

    def _take(self) -> None:
        room = FRAMES_A_TURN
        try:
            while self._seats and room > 0:
                subscription = self._seats.popleft()
                weight, more = self._take_one(subscription)
                room -= weight
                if more:
                    self._seats.appendleft(subscription)
        finally:
            if self._seats:
                self._soon()
