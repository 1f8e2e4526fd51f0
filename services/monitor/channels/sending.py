"""Sends what is due to channels (N41, N42): in one process of all, and none waits for another.

A slow robot holds its own task and no other's; everything here has connections of its own. Must
not know what a message says, nor what raised it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

import structlog

from contracts.people import ShopId
from kit.clock import Clock
from kit.errors import Unavailable
from kit.ids import Ids
from kit.leases import Leases
from kit.outgoing import AddressRefused, NotSent, Outgoing, Unanswered
from kit.postgres import Database
from kit.sealing import Sealer, Unsealable
from services.monitor.channels import repository
from services.monitor.channels.buckets import PACES, Bucket, Share
from services.monitor.channels.domain import (
    AGAIN_MS,
    Again,
    Broken,
    Channel,
    ChannelState,
    Delivery,
    DeliveryState,
    Digest,
    Level,
    Outcome,
    Sent,
    Step,
)
from services.monitor.channels.repository import RANKS, Settled, Unsent
from services.monitor.channels.robots import outcome, request
from services.monitor.channels.service import channel_of
from services.monitor.channels.texts import Place, written

log = structlog.get_logger()

LEASE: Final = "channels"
AT_ONCE: Final = 32
"""Channels that are sent to at the same time; the others have their turn before these again."""

READ: Final = 20
"""Deliveries of a channel that are read at once: more than its bucket has room for is merged."""

WORST: Final = 5
"""Notices that a digest names."""

LOST_MS: Final = 30_000
"""An attempt that nobody settled for so long is tried again: its process is gone."""

_MINUTE_MS: Final = 60_000

PlaceOf: TypeAlias = Callable[[ShopId], Place]
OnBroken: TypeAlias = Callable[[ShopId, str, str], Awaitable[object]]
"""Told of a channel that takes no more: its shop, its id, and the code."""


class Sender:
    """Looks for what is due, and serves each channel by a task of its own."""

    def __init__(self, database: Database, courier: "Courier", *, clock: Clock) -> None:
        self._db = database
        self._leases = Leases(database)
        self._courier = courier
        self._clock = clock
        self._turns: dict[str, float] = {}
        """When each channel had its last turn."""
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._leading = False

    async def send_due(self) -> bool:
        """Begin to serve the channels that something is due for; return whether there are any."""
        if not await self._leases.take(LEASE):
            self._leading = False
            return False
        now_ms = self._clock.now_ms()
        async with self._db.read_across("channels that something is due for") as session:
            if not self._leading:
                since_ms = now_ms - _MINUTE_MS
                lately = await repository.sent_lately(session, since_ms=since_ms, now_ms=now_ms)
                self._courier.remember(lately)
            due = await repository.due_channels(session, now_ms=now_ms)
        self._leading = True
        idle = sorted(
            (one for one in due if one not in self._busy),
            key=lambda one: self._turns.get(one, 0.0),
        )
        for channel_id in idle[: AT_ONCE - len(self._busy)]:
            self._turns[channel_id] = self._clock.monotonic()
            task = asyncio.create_task(self._serve(due[channel_id], channel_id))
            self._busy[channel_id] = task
            task.add_done_callback(partial(self._served, channel_id))
        self._turns = {one: at for one, at in self._turns.items() if one in due}
        return bool(due)

    async def close(self) -> None:
        """End what is under way: it is tried again, by whoever sends next."""
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._leases.close()

    def _served(self, channel_id: str, _: object) -> None:
        self._busy.pop(channel_id, None)

    async def _serve(self, shop_id: ShopId, channel_id: str) -> None:
        try:
            await self._courier.serve(shop_id, channel_id)
        except Unavailable as error:
            log.warning("channels.away", channel_id=channel_id, reason=error.slug)
        except Exception:
            # One channel's trouble is no other's, and not the fold's: its deliveries stay due.
            log.exception("channels.failed", channel_id=channel_id)


class Courier:
    """Takes to one channel what its bucket has room for, and the rest of it as a digest."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        outgoing: Outgoing,
        *,
        place_of: PlaceOf,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._db = database
        self._sealer = sealer
        self._outgoing = outgoing
        self._place_of = place_of
        self._clock = clock
        self._ids = ids
        self._buckets: dict[str, Bucket] = {}
        self._lately: dict[str, list[int]] = {}
        self.on_broken: OnBroken | None = None

    def remember(self, sent: Sequence[tuple[str, int]]) -> None:
        """Count what another process sent within the minute: robots count by channel."""
        self._buckets.clear()
        self._lately.clear()
        for channel_id, at_ms in sent:
            self._lately.setdefault(channel_id, []).append(at_ms)

    async def serve(self, shop_id: ShopId, channel_id: str) -> None:
        """Send what is due to a channel by now, as far as there is room."""
        now_ms = self._clock.now_ms()
        async with self._db.read(shop_id) as session:
            row = await repository.channel(session, shop_id, channel_id)
            due = await repository.due(session, channel_id, now_ms=now_ms, limit=READ)
            is_over = await repository.merges(session, channel_id, now_ms=now_ms)
        if row is None:
            return
        try:
            channel = channel_of(self._sealer, row)
        except Unsealable:
            await self._break(shop_id, channel_id, code="unsealable")
            return
        bucket = self._bucket(channel)
        for delivery in due:
            if not bucket.room(_share(delivery), now_ms=self._clock.now_ms()):
                is_over = True
                break
            if not await self._deliver(channel, delivery, bucket):
                return
        if is_over and bucket.digests(channel.kind, now_ms=self._clock.now_ms()):
            # What can still be told by its name is.
            named = bucket.room(Share.CRITICAL, now_ms=self._clock.now_ms())
            digest = await self._digest(channel, below=Level.CRITICAL if named else None)
            bucket.digested_ms = self._clock.now_ms()
            if digest is not None:
                await self._deliver(channel, digest, bucket)

    async def _deliver(self, channel: Channel, delivery: Delivery, bucket: Bucket) -> bool:
        """Try once; return whether the channel takes more now."""
        now_ms = self._clock.now_ms()
        async with self._db.write(channel.shop_id) as session:
            attempt = await repository.claim(session, delivery.id, until_ms=now_ms + LOST_MS)
        if attempt is None:
            return True
        bucket.spend(now_ms=now_ms)
        result = await self._posted(channel, replace(delivery, attempt=attempt))
        await self._settle(channel, replace(delivery, attempt=attempt), result)
        return isinstance(result, Sent)

    async def _posted(self, channel: Channel, delivery: Delivery) -> Outcome:
        text = written(
            delivery.told,
            self._place_of(channel.shop_id),
            language=channel.language,
            names=channel.names,
            attempt=delivery.attempt if delivery.unknown else 1,
        )
        wanted = request(channel, delivery, text, now_ms=self._clock.now_ms())
        try:
            answer = await self._outgoing.post(wanted.url, wanted.body, wanted.headers)
        except AddressRefused as refused:
            return Broken(refused.reason)
        except NotSent:
            return Again("unreachable")
        except Unanswered:
            return Again("unanswered", unknown=True)
        return outcome(channel.kind, answer)

    async def _settle(self, channel: Channel, delivery: Delivery, result: Outcome) -> None:
        now_ms = self._clock.now_ms()
        log.info(
            "channels.sent",
            channel_id=channel.id,
            delivery_id=delivery.id,
            step=delivery.step.value,
            attempt=delivery.attempt,
            code=result.code,
            outcome=type(result).__name__.lower(),
        )
        is_last = delivery.step is Step.TEST or delivery.attempt > len(AGAIN_MS)
        state, due_ms, unknown = DeliveryState.FAILED, None, False
        if isinstance(result, Sent):
            state = DeliveryState.SENT
        elif isinstance(result, Again) and not is_last:
            pause = max(AGAIN_MS[delivery.attempt - 1], result.rest_ms or 0)
            state, due_ms = DeliveryState.PENDING, now_ms + pause
            unknown = result.unknown or delivery.unknown
        async with self._db.write(channel.shop_id) as session:
            settled = Settled(state, result.code, unknown=unknown, due_ms=due_ms)
            await repository.settle(session, delivery.id, settled, now_ms=now_ms)
            if isinstance(result, Again) and result.rest_ms is not None:
                await repository.rest(session, channel.id, until_ms=now_ms + result.rest_ms)
        if isinstance(result, Broken):
            await self._break(channel.shop_id, channel.id, code=result.code)

    async def _break(self, shop_id: ShopId, channel_id: str, *, code: str) -> None:
        """Turn a channel off that takes no more, and tell of it, once."""
        async with self._db.write(shop_id) as session:
            broke = await repository.turn(
                session, channel_id, ChannelState.BROKEN, why=code, now_ms=self._clock.now_ms()
            )
        log.warning("channels.broken", channel_id=channel_id, code=code)
        if broke and self.on_broken is not None:
            await self.on_broken(shop_id, channel_id, code)

    async def _digest(self, channel: Channel, *, below: Level | None) -> Delivery | None:
        """Let one message stand for all that is due, or all below a level."""
        now_ms, digest_id = self._clock.now_ms(), self._ids.new()
        async with self._db.write(channel.shop_id) as session:
            due = Unsent(channel.id, now_ms, RANKS if below is None else below.rank)
            worst = await repository.worst(session, due, limit=WORST)
            tallies = await repository.merge(session, due, digest_id=digest_id)
            if not tallies:
                return None
            told = Digest(now_ms, tallies, tuple(worst))
            digest = Delivery(
                id=digest_id,
                shop_id=channel.shop_id,
                channel_id=channel.id,
                step=Step.DIGEST,
                level=told.level,
                content=told.stored(),
                attempt=0,
                unknown=False,
                created_ms=now_ms,
            )
            await repository.add_digest(session, digest, now_ms=now_ms)
        return digest

    def _bucket(self, channel: Channel) -> Bucket:
        found = self._buckets.get(channel.id)
        if found is None:
            lately = deque(self._lately.pop(channel.id, ()))
            found = self._buckets[channel.id] = Bucket(PACES[channel.kind], lately)
        return found


def _share(delivery: Delivery) -> Share:
    if delivery.step in {Step.DIGEST, Step.TEST}:
        return Share.DIGEST
    return Share.CRITICAL if delivery.level is Level.CRITICAL else Share.USUAL
