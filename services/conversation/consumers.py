"""What arrives on the bus besides chat: work of other services, and who is connected where.

Each handler says how it survives a repeat; decoding failures set the record aside.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import structlog

from contracts.aftersales import WorkOpened, WorkSettled
from contracts.base import Event, UnknownEvent, UnreadableEvent, decode
from contracts.gateway import PresenceReported
from contracts.people import AgentState, PersonId, Role
from contracts.topics import PRESENCE, WORK
from kit.bus.deadletter import DeadLetters
from kit.bus.loops import HandleOne, ReaderLoop, SingleLoop
from kit.bus.ports import Bus, Producer, Record
from kit.clock import Clock
from kit.errors import AppError, Dead, Unavailable
from kit.metrics import Metrics
from kit.postgres import Database, DatabaseAway
from services.conversation.domain.people import StateReason
from services.conversation.repository import people
from services.conversation.roster import Roster
from services.conversation.service.staff import Staff
from services.conversation.service.work import CONSUMER, Work

log = structlog.get_logger()

LOOK_S: Final = 1.0
"""How often it is checked who is lost and who is back."""


def work_handler(work: Work) -> HandleOne:
    """Return what is done with a record about work; the use cases keep inbox rows."""

    async def handle(record: Record) -> None:
        match _decoded(record):
            case WorkOpened() as event:
                await work.opened(event)
            case WorkSettled() as event:
                await work.settled(event)
            case _:
                pass  # our own `work.assigned`

    return handle


def work_loop(bus: Bus, work: Work, producer: Producer, *, metrics: Metrics) -> SingleLoop:
    """Return the role that routes work items."""
    return SingleLoop(
        bus,
        topics=[WORK.name],
        group=CONSUMER,
        handle=work_handler(work),
        dead_letters=DeadLetters(producer, CONSUMER, metrics=metrics),
        metrics=metrics,
    )


class Presence:
    """A role: puts agents offline whom no gateway carries, and back when one does again (H16).

    Every replica reads the whole topic, without a group: to set a state twice changes nothing, and
    no rebalance can leave agents unwatched. A report changes no row, so a repeat is harmless.
    """

    def __init__(
        self,
        bus: Bus,
        db: Database,
        staff: Staff,
        *,
        lost_after_s: float,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._bus = bus
        self._db = db
        self._staff = staff
        self._clock = clock
        self._stale_after = timedelta(seconds=lost_after_s)
        self._roster = Roster(lost_after_s)
        self._looked_at: float | None = None
        self._stopping = asyncio.Event()
        self.loop = ReaderLoop(
            bus,
            topics=[PRESENCE.name],
            name="conversation.presence",
            handle=self._handle,
            back=self._stale_after,
            metrics=metrics,
        )

    async def start(self) -> None:
        """Nothing to prepare: reading begins with `run`."""

    async def run(self) -> None:
        """Read reports and look at the roster until `stop`."""
        looking = asyncio.create_task(self._keep_looking())
        try:
            await self.loop.run()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def stop(self) -> None:
        """Stop looking and reading."""
        self._stopping.set()
        await self.loop.stop()

    async def look(self) -> None:
        """Let observed time pass if the reports can be read, then act on who is lost or back."""
        now = self._clock.monotonic()
        elapsed, self._looked_at = now - (self._looked_at or now), now
        if not await self._up_to_date():
            self._looked_at = None  # what passed unseen counts for nobody
            return
        self._roster.observe(elapsed)
        async with self._db.read() as session:
            known = await people.at_work(session)
        expected = [person for person, state, _ in known if state is not AgentState.OFFLINE]
        for person in self._roster.lost(expected):
            await self._set(person, AgentState.OFFLINE, "heartbeat_lost")
        await self._bring_back({person: back for person, _, back in known if back is not None})

    async def _bring_back(self, away: Mapping[PersonId, AgentState]) -> None:
        for person in self._roster.carried(away):
            await self._set(person, away[person], "returned")

    async def _set(self, person: PersonId, state: AgentState, reason: StateReason) -> None:
        """Set one person's state, or leave it for the next look.

        What hinders it (his shop is busy, he was just dismissed) keeps nobody else from his.
        """
        try:
            async with self._db.write() as session:
                await self._staff.set_state(session, person, state, reason)
        except DatabaseAway:
            raise
        except AppError as error:
            log.warning("agent.state_failed", agent_id=person, state=state, reason=error.slug)
        else:
            log.info("agent.state", agent_id=person, state=state, reason=reason)

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

    async def _keep_looking(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.look()
            except AppError as error:
                log.warning("presence.look_failed", reason=error.slug)
            await self._clock.sleep(LOOK_S)


def _decoded(record: Record) -> Event:
    try:
        return decode(record)
    except (UnknownEvent, UnreadableEvent) as error:
        raise Dead(str(error), record) from None
