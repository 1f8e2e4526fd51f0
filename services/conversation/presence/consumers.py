"""Who is connected where, as gateways report it.

Says how it survives a repeat. Knows no table.
"""

from datetime import timedelta
from typing import Final

import structlog

from contracts import topics
from contracts.base import Event, UnknownEvent, UnreadableEvent, decode
from contracts.gateway import PresenceReported
from contracts.people import AgentState, Role
from kit.bus.loops import ReaderLoop
from kit.bus.ports import Bus, Record
from kit.clock import Clock
from kit.errors import AppError, Dead, Unavailable
from kit.metrics import Metrics
from kit.postgres import DatabaseAway
from services.conversation.presence.roster import Roster
from services.conversation.presence.service import States
from services.conversation.staff.domain import AtWork, StateReason

log = structlog.get_logger()
PRESENCE: Final = "conversation.presence"
"""A reader's name, no group: each replica reads the topic whole."""

LOOK_S: Final = 1.0
"""How often it is checked who is lost and who is back."""


class Presence:
    """Puts agents offline whom no gateway carries, and back when one does again (H16).

    Every replica reads the whole topic, without a group: to set a state twice changes nothing, and
    no rebalance can leave agents unwatched. A report changes no row, so a repeat is harmless.
    """

    def __init__(
        self, bus: Bus, states: States, *, lost_after_s: float, clock: Clock, metrics: Metrics
    ) -> None:
        self._bus = bus
        self._states = states
        self._clock = clock
        self._stale_after = timedelta(seconds=lost_after_s)
        self._roster = Roster(lost_after_s)
        self._looked_at: float | None = None
        self.loop = ReaderLoop(
            bus,
            topics=[topics.PRESENCE.name],
            name=PRESENCE,
            handle=self._handle,
            back=self._stale_after,
            metrics=metrics,
        )
        """The role that reads reports."""

    async def look(self) -> None:
        """Let observed time pass if the reports can be read, then act on who is lost or back."""
        now = self._clock.monotonic()
        elapsed, self._looked_at = now - (self._looked_at or now), now
        if not await self._up_to_date():
            self._looked_at = None  # what passed unseen counts for nobody
            return
        self._roster.observe(elapsed)
        known = {person.id: person for person in await self._states.at_work()}
        expected = [one.id for one in known.values() if one.state is not AgentState.OFFLINE]
        for lost in self._roster.lost(expected):
            await self._set(known[lost], AgentState.OFFLINE, "heartbeat_lost")
        away = {one.id: one.resume_state for one in known.values() if one.resume_state is not None}
        for back in self._roster.carried(away):
            await self._set(known[back], away[back], "returned")

    async def _set(self, person: AtWork, state: AgentState, reason: StateReason) -> None:
        """Set one person's state, or leave it for the next look.

        What hinders it (his shop is busy, he was just dismissed) keeps nobody else from his.
        """
        try:
            await self._states.follow(person, state, reason)
        except DatabaseAway:
            raise
        except AppError as error:
            log.warning("agent.state_failed", agent_id=person.id, state=state, reason=error.slug)
        else:
            log.info("agent.state", agent_id=person.id, state=state, reason=reason)

    async def _handle(self, records: list[Record]) -> None:
        for record in records:
            event = _decoded(record)
            stale = event.time < self._clock.now() - self._stale_after
            if isinstance(event, PresenceReported) and not (stale or event.leaving):
                staff = [one.person_id for one in event.people if one.role is not Role.BUYER]
                self._roster.report(staff)

    async def _up_to_date(self) -> bool:
        """Tell whether a report would be known here: the broker answers and all is read (H16)."""
        if not (self.loop.caught_up.is_set() and self.loop.healthy and self.loop.lag() == 0):
            return False
        try:
            await self._bus.ping()
        except Unavailable:
            return False
        return True


def _decoded(record: Record) -> Event:
    try:
        return decode(record)
    except (UnknownEvent, UnreadableEvent) as error:
        raise Dead(str(error), record) from None
