"""Conversations as streams: a seat each, joined once, and refilled after a full queue.

Knows which seats there are; how a seat catches up is the business of `resume`.
"""

from collections.abc import Callable
from functools import partial

from services.gateway.frames import server
from services.gateway.frames.names import ConversationName
from services.gateway.frames.refusals import AlreadySubscribed
from services.gateway.hub import Hub, Seat, Session
from services.gateway.hub.conversations import SeatState
from services.gateway.resume import NeedsSnapshot, Resume
from services.gateway.streams.joins import Joins

GoOn = Callable[[Seat], None]
"""Told when a seat is ready or over: sends that came meanwhile are considered."""


class ConversationStream:
    """Every conversation that somebody here watches."""

    def __init__(self, hub: Hub, joins: Joins, resume: Resume, *, go_on: GoOn) -> None:
        self._hub = hub
        self._joins = joins
        self._resume = resume
        self._go_on = go_on

    def subscribe(
        self, session: Session, name: ConversationName, *, frame_id: str | None, position: object
    ) -> None:
        """Take a seat and join; a second `sub` beside a seat is refused."""
        if name.key in session.seats:
            self._joins.refuse(session, frame_id, AlreadySubscribed())
            return
        seat = self._hub.attach(session, name.key)
        seat.behind = []
        seat.owed = (frame_id,)
        self._joins.spawn(self._join(seat, position))

    def unsubscribe(self, session: Session, name: ConversationName) -> None:
        """Leave the seat, if there is one."""
        seat = session.seats.get(name.key)
        if seat is None:
            return
        joining = bool(seat.owed)
        self._joins.end(seat)
        if joining:
            self._go_on(seat)  # what was sent meanwhile need not wait for the join to notice

    async def refill(self, session: Session) -> None:
        """Give every seat what was withheld while the queue was full (H15)."""
        for seat in list(session.seats.values()):
            if seat.state is SeatState.WITHHELD:
                work = self._resume.refill(seat)
                await self._joins.run(seat, work, failed=partial(self._failed, seat))

    async def _join(self, seat: Seat, position: object) -> None:
        work = self._resume.join(seat, position)
        await self._joins.run(seat, work, failed=partial(self._failed, seat))
        self._go_on(seat)

    def _failed(self, seat: Seat, error: Exception) -> None:
        """Take the seat back. Who was told `ok` before learns that he has to subscribe again."""
        self._hub.detach(seat)
        if isinstance(error, NeedsSnapshot):
            seat.session.answer(server.resync(seat.conversation.s, error.reason))
        elif not seat.owed:
            seat.session.answer(server.resync(seat.conversation.s, "slow_reader"))
