"""The order of each subscription's sends: who waits for whom, and which must come again first.

Keeps H6, and of H3 that nothing overtakes a send that is looked up. Knows ids and whose turn it is;
what taking a send means, and how one is refused, it is told.
"""

import asyncio
import itertools
from collections.abc import Callable
from typing import Final

from kit.errors import AppError, Unavailable
from services.gateway.frames.client import Send, weight
from services.gateway.frames.refusals import NotSubscribed, NotTaken, Retry
from services.gateway.history import HistoryClient, Stored
from services.gateway.hub import ConversationSubscription, SocketSession
from services.gateway.inbound.turns import SendTurns

WAITING: Final = 64
"""Sends of one subscription that wait for an earlier one; one more is answered `retry`."""

Take = Callable[[ConversationSubscription, Send], None]
"""Takes a send whose turn has come; it answers, looks up, or requeues."""

Refuse = Callable[[SocketSession, str, AppError], None]
"""Answers a send that is not taken."""

Found = Callable[[Stored | None], None]
"""Told what is archived under an id; None also when nobody can say."""


class _Lane:
    """What is kept of a subscription, as long as there is anything to keep.

    `held` counts what sends have to wait for: that an earlier one is looked up, or its reason is on
    its way, or that the subscription joins. `waiting` are the sends that came meanwhile. `retry_id`
    is the oldest send that was answered `retry`, by `retry_number`, its place among the sends of
    this gateway: an older one may fail after a younger one was refused. `deferred_id` is the oldest
    that was refused while others waited: it is requeued after them.
    """

    __slots__ = ("deferred_id", "held", "retry_id", "retry_number", "waiting")

    def __init__(self) -> None:
        self.held = 0
        self.waiting: list[Send] = []
        self.retry_id: str | None = None
        self.retry_number = 0
        self.deferred_id: str | None = None

    @property
    def queues(self) -> bool:
        """Tell whether a send that comes now has to stand behind others."""
        return self.held > 0 or bool(self.waiting) or self.deferred_id is not None


class Lanes:
    """One lane per subscription, none where nothing waits and nothing has to come again."""

    def __init__(self, history: HistoryClient, *, take: Take, refuse: Refuse) -> None:
        self._history = history
        self._take = take
        self._refuse = refuse
        self._lanes: dict[ConversationSubscription, _Lane] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self._turns = SendTurns(self._take_one)
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._lanes)

    @property
    def busy(self) -> int:
        """How many look-ups are under way, and subscriptions whose sends await their turn."""
        return len(self._looking) + len(self._turns)

    def number(self) -> int:
        """Return the place of a send among all of this gateway."""
        return next(self._numbers)

    # ---- one after the other

    def admit(self, subscription: ConversationSubscription, send: Send) -> None:
        """Take the newest send of a subscription now, or when those before it were taken."""
        lane = self._lanes.get(subscription)
        if lane is None or not lane.queues:
            self._take(subscription, send)
        elif lane.deferred_id is None and len(lane.waiting) < WAITING:
            lane.waiting.append(send)
        else:
            self.defer(subscription, send.id, NotTaken())

    def hold(self, subscription: ConversationSubscription) -> None:
        """Let sends wait from now on, until `resume`."""
        self._lane(subscription).held += 1

    def resume(self, subscription: ConversationSubscription) -> None:
        """End one `hold`; take what waited, soon, until another begins. Refuse it if it is over."""
        lane = self._lanes.get(subscription)
        if lane is not None and lane.held:
            lane.held -= 1
        self._turns.add(subscription)

    def drop(self, subscription: ConversationSubscription) -> None:
        """Forget a subscription that is over; what waits is answered by the `resume` to come."""
        lane = self._lanes.get(subscription)
        if lane is not None and not lane.held and not lane.waiting:
            del self._lanes[subscription]

    def look_up(
        self, subscription: ConversationSubscription, message_id: str, *, found: Found
    ) -> None:
        """Ask the archive for a resend; later sends of this subscription wait meanwhile (H3)."""
        self.hold(subscription)
        task = asyncio.create_task(self._looked_up(subscription, message_id, found))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    def stop(self) -> None:
        """Look nothing up any more; what waits stays unanswered."""
        for task in list(self._looking):
            task.cancel()

    # ---- what must come again

    def blocks(self, subscription: ConversationSubscription, client_id: str) -> bool:
        """Tell whether another send must come again before this one is taken."""
        lane = self._lanes.get(subscription)
        return lane is not None and lane.retry_id is not None and lane.retry_id != client_id

    def expects(self, subscription: ConversationSubscription, client_id: str) -> bool:
        """Tell whether this is the send that must come again before others are taken."""
        lane = self._lanes.get(subscription)
        return lane is not None and lane.retry_id == client_id

    def requeue(self, subscription: ConversationSubscription, client_id: str, number: int) -> None:
        """Note a send that was answered `retry`; the oldest one stands."""
        if subscription.left:
            return
        lane = self._lane(subscription)
        if lane.retry_id is None or number < lane.retry_number:
            lane.retry_id, lane.retry_number = client_id, number

    def defer(
        self, subscription: ConversationSubscription, client_id: str, refusal: AppError
    ) -> None:
        """Refuse the newest send of a subscription: what waits is older, and goes first."""
        lane = self._lane(subscription)
        if lane.queues:
            lane.deferred_id = lane.deferred_id or client_id
        else:
            self.requeue(subscription, client_id, self.number())
        self._refuse(subscription.socket, client_id, refusal)

    def settle(self, subscription: ConversationSubscription, client_id: str) -> None:
        """A send was taken, or is over: if it had to come again, later ones are taken now."""
        lane = self._lanes.get(subscription)
        if lane is not None and lane.retry_id == client_id:
            lane.retry_id = None
            self._tidy(subscription, lane)

    def retry(
        self,
        subscription: ConversationSubscription,
        client_id: str,
        number: int,
        *,
        refusal: Retry | None = None,
    ) -> None:
        """Answer `retry`; the oldest such send must come again before later ones are taken (H6)."""
        self.requeue(subscription, client_id, number)
        self._refuse(subscription.socket, client_id, refusal or Retry())

    def deny(
        self, subscription: ConversationSubscription, client_id: str, refusal: AppError
    ) -> None:
        """Refuse a send for good: nothing has to wait for it to come again (H6)."""
        self.settle(subscription, client_id)
        self._refuse(subscription.socket, client_id, refusal)

    # ---- inside

    def _lane(self, subscription: ConversationSubscription) -> _Lane:
        lane = self._lanes.get(subscription)
        if lane is None:
            lane = self._lanes[subscription] = _Lane()
        return lane

    def _tidy(self, subscription: ConversationSubscription, lane: _Lane) -> None:
        if lane.retry_id is None and not lane.queues:
            del self._lanes[subscription]

    async def _looked_up(
        self, subscription: ConversationSubscription, message_id: str, found: Found
    ) -> None:
        try:
            stored = await self._history.message(message_id)
        except Unavailable:
            stored = None  # unknown or unreachable: produce, readers drop the repeat by id
        found(stored)
        self.resume(subscription)

    def _take_one(self, subscription: ConversationSubscription) -> tuple[int, bool]:
        lane = self._lanes.get(subscription)
        if lane is None or lane.held:
            return 0, False
        if subscription.left:
            del self._lanes[subscription]
            for send in lane.waiting:
                self._refuse(subscription.socket, send.id, NotSubscribed())
            return len(lane.waiting), False
        if not lane.waiting:
            if lane.deferred_id is not None:
                self.requeue(subscription, lane.deferred_id, self.number())
                lane.deferred_id = None
            self._tidy(subscription, lane)
            return 0, False
        send = lane.waiting.pop(0)
        self._take(subscription, send)
        now = self._lanes.get(
            subscription
        )  # taking the last one may have ended this lane and begun another
        return weight(send, len(send.d)), now is not None and not now.held
