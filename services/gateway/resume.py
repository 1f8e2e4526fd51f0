"""Subscribing and catching up: archive, gap, ring, live, without a hole or a torn picture.

Keeps H4, H5, H10, H11, H12 and H15. The ring holds every record up to the live position, so what is
read from it in one step and what is delivered afterwards meet exactly. Must not know sockets beyond
their session.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import structlog

from contracts.frames import REPLAY_LIMIT, CloseCode
from contracts.people import PLATFORM, WATCHING_STAFF, PersonId, ShopId
from kit.clock import Clock
from kit.errors import AppError, NotFound, Unavailable
from kit.metrics import Metrics
from services.gateway.frames import server
from services.gateway.frames.client import StreamKind, StreamName, place_of
from services.gateway.frames.records import Entry, PoisonRecord
from services.gateway.frames.refusals import (
    AlreadySubscribed,
    Forbid,
    Resynced,
    Retry,
    TooManySubscriptions,
)
from services.gateway.history import Archive, Attached, GapReader, GapTooLarge, Ring
from services.gateway.history.archive import item_head
from services.gateway.hub import Hub, Seat, Session
from services.gateway.hub.streams import SeatState, read_view
from services.gateway.limits import FORBIDDEN, FairTurns

SNAPSHOT_ITEMS: Final = 100
"""Latest messages in a conversation's `snap`; older ones are pages of the REST history."""

POLL_S: Final = 0.02
READER_S: Final = 5.0
"""Wait for this gateway's own reader to reach a client's position; then `retry`."""

JOINS: Final = 64
"""Joins under way at once: a storm of reconnects waits its turn instead of flooding a neighbour."""
JOINS_EACH: Final = 8
"""Of these for one person: whoever joins, leaves and joins again keeps nobody else waiting."""

EndOf = Callable[[int], Awaitable[int]]
"""Given a partition, answers the broker's end offset."""

GoOn = Callable[[Seat], None]
"""Told when a seat is ready or refused: sends that came meanwhile are considered."""

log: Final = structlog.get_logger("gateway.resume")


class _Abandoned(Exception):
    """The session left, unsubscribed or was closed while it was being joined."""


class _Resync(Exception):
    """The client has to fetch a snapshot."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Resume:
    """Joins sessions to streams and refills them after they were full."""

    def __init__(
        self,
        hub: Hub,
        ring: Ring,
        *,
        archive: Archive,
        gaps: GapReader,
        end_of: EndOf,
        go_on: GoOn,
        clock: Clock,
        metrics: Metrics,
        subscriptions: int = 200,
        slow_reader_s: float = 10.0,
    ) -> None:
        self._hub = hub
        self._ring = ring
        self._archive = archive
        self._gaps = gaps
        self._end_of = end_of
        self._go_on = go_on
        self._clock = clock
        self._metrics = metrics
        self._subscriptions = subscriptions
        self._slow_reader_s = slow_reader_s
        self._turns = FairTurns(everybody=JOINS, each=JOINS_EACH)
        self._tasks: set[asyncio.Task[None]] = set()

    def subscribe(
        self, session: Session, name: StreamName, *, frame_id: str | None, position: object
    ) -> None:
        """Begin to join; every answer goes to the session."""
        held = len(session.seats) + len(session.shops) + (session.inbox is not False)
        if held >= self._subscriptions:
            self._refuse(session, frame_id, TooManySubscriptions())
        elif name.kind is StreamKind.INBOX:
            self._spawn(self._join_inbox(session, frame_id))
        elif name.kind is StreamKind.MONITOR:
            self._spawn(self._join_monitor(session, frame_id, ShopId(name.key)))
        elif name.key.encode() in session.seats:
            self._refuse(session, frame_id, AlreadySubscribed())
        else:
            seat = self._hub.attach(session, name.key.encode())
            seat.behind = []
            self._spawn(self._join(seat, frame_id, position=position))

    def unsubscribe(self, session: Session, name: StreamName, *, frame_id: str) -> None:
        """Leave a stream; to leave what was not joined is no mistake."""
        if name.kind is StreamKind.INBOX:
            session.inbox = False
        elif name.kind is StreamKind.MONITOR:
            self._hub.unwatch(session, ShopId(name.key))
        else:
            self._hub.detach(session, name.key.encode())
        session.answer(server.ok(frame_id, {}))

    def refill(self, session: Session) -> None:
        """Give a session what was withheld while its queue was full (H15)."""
        self._spawn(self._refill(session))

    async def stop(self) -> None:
        """Give up what is being joined."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- conversations

    async def _join(self, seat: Seat, frame_id: str | None, *, position: object) -> None:
        session = seat.session
        try:
            await self._joined(seat, frame_id, position=position)
        except _Abandoned:
            self._unseat(seat)
        except _Resync as why:
            self._unseat(seat)
            session.answer(server.resync(seat.stream.s, why.reason))
            self._refuse(session, frame_id, Resynced())
        except NotFound:
            self._unseat(seat)
            self.forbid(session, frame_id)
        except (Unavailable, GapTooLarge):
            self._unseat(seat)
            self._refuse(session, frame_id, Retry("Subscribe again in a moment."))
        self._go_on(seat)

    def _unseat(self, seat: Seat) -> None:
        """Take the seat back, unless its session has left it and sits on another one by now."""
        session, key = seat.session, seat.stream.key
        if session.seats.get(key) is seat:
            self._hub.detach(session, key)

    async def _joined(self, seat: Seat, frame_id: str | None, *, position: object) -> None:
        session, stream = seat.session, seat.stream
        place = place_of(position) if position is not None else None
        if position is not None and place is None:
            raise _Resync("bad_position")
        async with self._turns.of(session.person.subject):
            self._check_present(seat)  # who left while he waited costs nobody a question
            attached = await self._archive.attach(
                stream.key.decode(),
                session.person,
                limit=SNAPSHOT_ITEMS if place is None else REPLAY_LIMIT,
                after=place,
            )
        self._check_present(seat)
        self._adopt(seat, attached)
        if place is not None:
            if place.generation != attached.mark.generation:
                raise _Resync("generation")
            await self._reach(session, stream.partition, place.offset)
        if attached.resync:
            raise _Resync("too_far")
        seat.sent = attached.mark.offset - 1
        if place is not None:
            seat.sent = max(seat.sent, place.offset)
            await self._catch_up(seat, attached, frame_id=frame_id)
        else:
            await self._snapshot(seat, attached, frame_id=frame_id)

    def _adopt(self, seat: Seat, attached: Attached) -> None:
        facts, stream = attached.facts, seat.stream
        stream.shop_id = facts.shop_id
        stream.generation = attached.mark.generation
        stream.partition = attached.mark.partition
        stream.adopt(
            buyer=PersonId(facts.buyer_id),
            owner=None if facts.agent_id is None else PersonId(facts.agent_id),
            version=facts.version,
            assignment=facts.assignment_version,
        )

    async def _reach(self, session: Session, partition: int, offset: int) -> None:
        """Wait until the reader here has passed the client's position; beyond the log: 4004."""
        if offset < self._ring.end(partition):
            return
        if offset >= await self._end_of(partition):
            session.close(CloseCode.BAD_POSITION, self._clock.monotonic())
            raise _Abandoned
        until = self._clock.monotonic() + READER_S
        while offset >= self._ring.end(partition):
            if self._clock.monotonic() > until:
                raise Unavailable("The reader is behind.")
            await self._clock.sleep(POLL_S)

    async def _catch_up(self, seat: Seat, attached: Attached, *, frame_id: str | None) -> None:
        """Replay above the client's position, then be live."""
        missed = await self._missed(seat)
        if len(attached.items) + len(missed) > REPLAY_LIMIT:
            raise _Resync("too_far")
        seat.session.answer(self._seated(seat, frame_id))
        for item in attached.items:
            await self._write(seat, server.replayed(bytes(item)))
        for entry in missed:
            await self._show(seat, entry)
        await self._go_live(seat)

    async def _snapshot(self, seat: Seat, attached: Attached, *, frame_id: str | None) -> None:
        """Send the state and the latest messages as one frame, then be live."""
        stream, session = seat.stream, seat.session
        await self._room(seat)
        entries = await self._missed(seat)
        # No await from here to LIVE: the snapshot and the stream meet without a gap.
        items = [bytes(item) for item in attached.items]
        known = {item_head(item).id.encode() for item in attached.items}
        for entry in entries:
            shown = None if entry.id in known else self._body(seat, entry)
            if shown is not None:
                place = (stream.generation, entry.offset)
                items.append(server.item(stream.s, shown, position=place))
        seat.sent = max(seat.sent, self._ring.end(stream.partition) - 1)
        position = (stream.generation, seat.sent) if seat.sent >= 0 else None
        conversation, shown_items = bytes(attached.conversation), b",".join(items[-SNAPSHOT_ITEMS:])
        d = b'{"conversation":%b,"items":[%b]}' % (conversation, shown_items)
        session.answer(self._seated(seat, frame_id))
        session.answer(server.snap(stream.s, d, position=position))
        seat.state = SeatState.LIVE

    def _seated(self, seat: Seat, frame_id: str | None) -> bytes:
        return server.ok(frame_id, {"s": seat.stream.s, "may_send": seat.may_speak})

    async def _missed(self, seat: Seat) -> list[Entry]:
        """Return what lies above `sent`: from the broker below the ring's floor, then the ring.

        Nothing is awaited after the ring was read: the caller knows that this is all there is.
        """
        partition, key, sent = seat.stream.partition, seat.stream.key, seat.sent
        entries: list[Entry] = []
        while (floor := self._ring.floor(partition)) > sent + 1:
            async with self._turns.of(seat.session.person.subject):
                entries += await self._gaps.read(key, partition, start=sent + 1, end=floor)
            self._check_present(seat)
            sent = floor - 1
        return entries + self._ring.after(key, sent)

    async def _go_live(self, seat: Seat) -> None:
        """Give what arrived meanwhile until nothing is left, then leave the rest to the hub."""
        while missed := await self._missed(seat):
            for entry in missed:
                await self._show(seat, entry)
        seat.state = SeatState.LIVE

    async def _show(self, seat: Seat, entry: Entry) -> None:
        if entry.offset <= seat.sent:
            return
        shown = self._body(seat, entry)
        if shown is not None:
            stream = seat.stream
            place = (stream.generation, entry.offset)
            await self._write(seat, server.event(stream.s, shown, position=place))
        seat.sent = entry.offset

    def _body(self, seat: Seat, entry: Entry) -> bytes | None:
        try:
            return read_view(entry).of(seat)
        except PoisonRecord:
            self._hub.poisoned += 1
            return None

    async def _write(self, seat: Seat, frame: bytes) -> None:
        """Write with back-pressure, outside the queue."""
        await self._room(seat)
        while not seat.session.offer(frame):
            await self._room(seat)

    async def _room(self, seat: Seat) -> None:
        """Wait until the socket takes frames; one that does not in time is closed with 4001."""
        session = seat.session
        self._check_present(seat)
        until = self._clock.monotonic() + self._slow_reader_s
        while session.paused or session.full_since is not None:
            await self._clock.sleep(POLL_S)
            self._check_present(seat)
            if self._clock.monotonic() > until:
                session.close(CloseCode.SLOW_READER, self._clock.monotonic())
                raise _Abandoned

    def _check_present(self, seat: Seat) -> None:
        session = seat.session
        if session.closing or session.seats.get(seat.stream.key) is not seat:
            raise _Abandoned

    # ---- after a full queue

    async def _refill(self, session: Session) -> None:
        session.full_since = None
        if session.inbox is not False:
            session.answer(server.resync("inbox", "slow_reader"))
        for seat in list(session.seats.values()):
            if seat.state is SeatState.WITHHELD:
                seat.state = SeatState.JOINING
                await self._refill_seat(seat)

    async def _refill_seat(self, seat: Seat) -> None:
        session = seat.session
        try:
            await self._go_live(seat)
        except _Abandoned:
            return
        except (GapTooLarge, Unavailable):
            self._hub.detach(session, seat.stream.key)
            session.answer(server.resync(seat.stream.s, "slow_reader"))

    # ---- inbox and boards

    async def _join_inbox(self, session: Session, frame_id: str | None) -> None:
        session.inbox = []
        try:
            async with self._turns.of(session.person.subject):
                snapshot = await self._archive.inbox(session.person)
        except (NotFound, Unavailable):
            session.inbox = False
            self._refuse(session, frame_id, Retry("Subscribe again in a moment."))
            return
        held = session.held
        if held is None:
            return  # unsubscribed, or too much came meanwhile
        session.answer(server.ok(frame_id, {"s": "inbox"}))
        session.answer(server.snap("inbox", snapshot))
        session.inbox = True
        for frame in held:
            self._hub.to_inbox(session, frame)

    async def _join_monitor(self, session: Session, frame_id: str | None, shop: ShopId) -> None:
        person = session.person
        if person.role not in WATCHING_STAFF or person.shop_id not in {shop, PLATFORM}:
            self.forbid(session, frame_id)
            return
        self._hub.watch(session, shop)
        board = self._hub.boards.get(shop)
        if board is None:
            try:
                async with self._turns.of(person.subject):
                    board = await self._archive.board(shop)
            except Unavailable:
                board = b"null"  # the next published board comes as a patch
        s = f"monitor:{shop}"
        session.answer(server.ok(frame_id, {"s": s}))
        session.answer(server.snap(s, board))

    # ---- refusals

    def forbid(self, session: Session, frame_id: str | None) -> None:
        """Refuse a foreign stream; too many of these close the socket."""
        session.forbidden += 1
        self._refuse(session, frame_id, Forbid())
        if session.forbidden >= FORBIDDEN:
            session.close(CloseCode.REVOKED, self._clock.monotonic())

    def _refuse(self, session: Session, frame_id: str | None, refusal: AppError) -> None:
        self._metrics.frames_refused.labels(refusal.slug).inc()
        session.answer(server.err(frame_id, refusal))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("resume.failed", exc_info=task.exception())
