"""Messages on their way into the log: handed over, then acknowledged, and not read back yet.

Every send that waits for one is answered once: with its place, or `retry` when that takes too long
(H18). Must not know whether a message may be said.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from contracts.gateway import WordingHit
from kit.bus.ports import Message, Position, TooLarge
from kit.clock import Clock
from kit.errors import AppError
from kit.metrics import Metrics
from kit.telemetry import traced
from services.gateway.frames import records, server
from services.gateway.frames.refusals import BadFrame, NotTaken, Retry
from services.gateway.history import Ring
from services.gateway.hub import ConversationSubscription
from services.gateway.inbound.batcher import Batcher
from services.gateway.inbound.lanes import Lanes
from services.gateway.inbound.parsing import ParsedSend
from services.gateway.inbound.unread import Acked, Unread

OVERDUE_S: Final = 0.1
"""How often overdue outcomes are looked for: one pass for all sends, no timer per send."""


Waiting: TypeAlias = list[tuple[ConversationSubscription, ParsedSend]]

Then = Callable[[], Message | AppError]
"""Says what is handed over once what goes before it is in the log, or why nothing is."""


class PendingMessage:
    """A message that was handed over: who waits for it, and since when.

    `since` is when the newest of them came; `handed_at` stays. With `behind` it is not the message
    itself that was handed over, but what has to be in the log before it.
    """

    __slots__ = (
        "answered",
        "behind",
        "body_hash",
        "handed_at",
        "message_id",
        "since",
        "waiting",
        "warnings",
    )

    def __init__(
        self,
        message_id: str,
        body_hash: str,
        warnings: tuple[WordingHit, ...],
        *,
        handed_at: float,
    ) -> None:
        self.message_id = message_id
        self.body_hash = body_hash
        self.warnings = warnings
        self.handed_at = self.since = handed_at
        self.answered = False
        self.behind: Behind | None = None
        self.waiting: Waiting = []


class Behind(NamedTuple):
    """What waits for the record before it; later sends of the subscription wait with it."""

    subscription: ConversationSubscription
    then: Then


class MessagesInFlight:
    """By message id; `waiting` is how many of them somebody waits for."""

    def __init__(
        self,
        batcher: Batcher,
        lanes: Lanes,
        ring: Ring,
        *,
        clock: Clock,
        metrics: Metrics,
        outcome_s: float,
    ) -> None:
        self._batcher = batcher
        self._lanes = lanes
        self._clock = clock
        self._metrics = metrics
        self._outcome_s = outcome_s
        self._pending: dict[str, PendingMessage] = {}
        self._out: defaultdict[int, deque[PendingMessage]] = defaultdict(deque)
        self._unread = Unread(ring)
        self._due: deque[tuple[float, PendingMessage]] = deque()
        self._wakes = asyncio.Event()
        self._over = False

    @property
    def waiting(self) -> int:
        """How many messages somebody waits for."""
        return sum(bool(pending.waiting) for pending in self._pending.values())

    def pending(self, message_id: str) -> PendingMessage | None:
        """Return the message if it was handed over and its outcome is not known."""
        return self._pending.get(message_id)

    def acked(self, message_id: str) -> Acked | None:
        """Return the message if it was acknowledged and this gateway has not read it back."""
        return self._unread.find(message_id)

    def oldest(self, partition: int) -> float | None:
        """Return when the oldest message was handed over that the broker has not answered."""
        out = self._out[partition]
        return out[0].handed_at if out else None

    # ---- on the way

    def hand_over(
        self,
        subscription: ConversationSubscription,
        parsed: ParsedSend,
        *,
        message: Message,
        warnings: tuple[WordingHit, ...],
        then: Then | None = None,
    ) -> None:
        """Give a message to the batcher, and answer its send when the outcome is known.

        With `then` the message is what that says once this one, its forerunner, is in the log.
        """
        now, out = self._clock.monotonic(), self._out[subscription.conversation.partition]
        pending = PendingMessage(parsed.message_id, parsed.body_hash, warnings, handed_at=now)
        if not self._batcher.add(message, partial(self._acked, pending, out)):
            refusal = NotTaken()
            self._lanes.retry(subscription, parsed.frame.id, parsed.number, refusal=refusal)
            return
        self._pending[parsed.message_id] = pending
        out.append(pending)
        if then is not None:
            pending.behind = Behind(subscription, then)
            self._lanes.hold(subscription)
        self.join(subscription, parsed, pending)

    def join(
        self, subscription: ConversationSubscription, parsed: ParsedSend, pending: PendingMessage
    ) -> None:
        """Let a send wait for a message that is on its way; later ones need not wait for it."""
        self._lanes.settle(subscription, parsed.frame.id)
        pending.waiting.append((subscription, parsed))
        pending.since = self._clock.monotonic()
        self._due.append((pending.since + self._outcome_s, pending))
        self._wakes.set()

    # ---- outcomes

    def _acked(
        self,
        pending: PendingMessage,
        out: deque[PendingMessage],
        answer: "asyncio.Future[Position]",
    ) -> None:
        error = None if answer.cancelled() else answer.exception()
        is_in_log = error is None and not answer.cancelled()
        behind, pending.behind = pending.behind, None
        refusal: AppError | None = None
        if behind is not None:
            self._lanes.resume(behind.subscription)  # in a later turn
            if is_in_log:
                refusal = self._resume(pending, out, behind.then)
                if refusal is None:
                    return
        self._pending.pop(pending.message_id, None)
        pending.answered = True
        while out and out[0].answered:
            out.popleft()
        waiting, pending.waiting = pending.waiting, []
        if refusal is not None:
            self._refuse(waiting, refusal)
        elif is_in_log:
            place = answer.result()
            self._unread.add(pending.message_id, Acked(pending.body_hash, place))
            for subscription, parsed in waiting:
                _acknowledge(subscription, parsed.frame.id, pending=pending, offset=place.offset)
            if waiting:
                self._metrics.send_seconds.observe(self._clock.monotonic() - pending.since)
        elif isinstance(error, TooLarge):
            self._refuse(waiting, BadFrame("The message is too large."))
        else:
            self._refuse(waiting, Retry())

    def _resume(
        self, pending: PendingMessage, out: deque[PendingMessage], then: Then
    ) -> AppError | None:
        """Hand over what waited for its forerunner, or return why that is not done."""
        said = then()
        if isinstance(said, AppError):
            return said
        return None if self._batcher.add(said, partial(self._acked, pending, out)) else Retry()

    def _refuse(self, waiting: Waiting, refusal: AppError) -> None:
        for subscription, parsed in waiting:
            client_id = parsed.frame.id
            with traced(records.trace_of(parsed.message_id)):
                if isinstance(refusal, Retry):
                    self._lanes.retry(subscription, client_id, parsed.number, refusal=refusal)
                else:
                    self._lanes.deny(subscription, client_id, refusal)

    # ---- outcomes that are overdue

    def give_up(self) -> None:
        """Answer `retry` to every send that still waits (H17)."""
        for pending in self._pending.values():
            self._give_up(pending)

    async def run(self) -> None:
        """Answer `retry` to sends whose outcome is overdue, until `stop` (H18)."""
        while not self._over:
            await self._wakes.wait()
            await self._clock.sleep(OVERDUE_S)
            now = self._clock.monotonic()
            while self._due and self._due[0][0] <= now:
                due, pending = self._due.popleft()
                if pending.waiting and pending.since + self._outcome_s <= due:
                    self._give_up(pending)
            if not self._due and not self._over:
                self._wakes.clear()

    def stop(self) -> None:
        """Look for no overdue outcomes any more."""
        self._over = True
        self._wakes.set()

    def _give_up(self, pending: PendingMessage) -> None:
        waiting, pending.waiting = pending.waiting, []
        self._refuse(waiting, Retry())


def _acknowledge(
    subscription: ConversationSubscription, client_id: str, *, pending: PendingMessage, offset: int
) -> None:
    """Answer with the message's place, and what the agent should know of its wording."""
    place = (subscription.conversation.generation, offset)
    if not pending.warnings:
        subscription.socket.answer(server.sent(client_id, pending.message_id, position=place))
        return
    told: dict[str, object] = {
        "client_id": client_id,
        "message_id": pending.message_id,
        "position": place,
        "warnings": [hit.model_dump(mode="json") for hit in pending.warnings],
    }
    subscription.socket.answer(server.ok(client_id, told))
