"""Who is connected where, as gateways report it.

Says how it survives a repeat. Knows no table.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from contracts import topics
from contracts.base import UnknownEvent, UnreadableEvent, decode
from contracts.gateway import PresenceReported
from contracts.people import AgentState, PersonId, Role, ShopId
from kit.bus.loops import ReaderLoop
from kit.bus.ports import Bus, Record
from kit.clock import Clock
from kit.errors import AppError, Dead, Unavailable
from kit.metrics import Metrics
from kit.postgres import DatabaseAway
from services.conversation.presence.roster import Roster
from services.conversation.presence.schemas import Report, read_report
from services.conversation.presence.service import Reported, States
from services.conversation.staff.domain import AtWork

log = structlog.get_logger()

_REPORTED: Final = PresenceReported.type.encode()

PRESENCE: Final = "conversation.presence"
"""A reader's name, no group: each replica reads the topic whole."""

LOOK_S: Final = 1.0
"""How often it is checked who is lost and who is back."""

KNOWN_S: Final = 5.0
"""How often it is read who is at work: of 5,000 people that takes as much as 30 looks. Who came
since is carried by a gateway meanwhile; what is done is decided on the locked rows alone."""

AT_ONCE: Final = 100
"""So many people of a shop are set in one transaction, so that nobody waits long for its turn."""


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
        self._read_at: float | None = None
        self._known: dict[PersonId, AtWork] = {}
        self._expected: frozenset[PersonId] = frozenset()
        self._away: frozenset[PersonId] = frozenset()
        self._moved: dict[tuple[ShopId, Reported], set[PersonId]] = defaultdict(set)
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
        if self._is_empty and self._knows_still(now):
            self._looked_at = None  # nobody can be lost or back, so the broker is not asked
            return
        if not await self._up_to_date():
            self._looked_at = None  # what passed unseen counts for nobody
            return
        self._roster.observe(elapsed)
        await self._know(now)
        lost = self._roster.lost(self._expected)
        await self._follow(lost, "heartbeat_lost")
        await self._follow(self._roster.carried(self._away), "returned")
        await self._route()

    async def _know(self, now: float) -> None:
        """Read anew who is at work, unless that was done a moment ago."""
        if not self._knows_still(now):
            people = await self._states.at_work()
            self._known = {one.id: one for one in people}
            self._sort()
            self._read_at = now

    def _knows_still(self, now: float) -> bool:
        return self._read_at is not None and now - self._read_at < KNOWN_S

    @property
    def _is_empty(self) -> bool:
        return not (self._expected or self._away or self._moved)

    def _sort(self) -> None:
        known = self._known.values()
        self._expected = frozenset(
            one.id for one in known if one.state is not AgentState.OFFLINE or one.took
        )
        self._away = frozenset(one.id for one in known if one.resume_state is not None)

    async def _follow(self, people: Iterable[PersonId], reason: Reported) -> None:
        """Set the states of people, shop by shop, or leave them for the next look.

        A shop that is busy keeps no other shop's people from theirs.
        """
        by_shop: dict[ShopId, list[PersonId]] = defaultdict(list)
        for person in people:
            by_shop[self._known[person].shop_id].append(person)
        for shop_id, theirs in by_shop.items():
            for some in _batches(theirs):
                try:
                    found = await self._states.follow(shop_id, some, reason)
                except DatabaseAway:
                    raise
                except AppError as error:
                    log.warning("agent.states_failed", shop_id=shop_id, reason=error.slug)
                else:
                    self._known |= {one.id: one for one in found.people}
                    self._moved[shop_id, reason].update(found.changed)
                    log.info("agent.states", shop_id=shop_id, count=len(some), reason=reason)
        if by_shop:
            self._sort()

    async def _route(self) -> None:
        """Route for those whose states were set, or leave them for the next look.

        Only now: buyers of the first hundred would be given to those of the next who are lost too.
        """
        for shop_id, reason in list(self._moved):
            moved = self._moved.pop((shop_id, reason), set())
            try:
                for some in _batches(sorted(moved)):
                    await self._states.route(shop_id, some, reason)
                    moved.difference_update(some)
            except DatabaseAway:
                raise
            except AppError as error:
                log.warning("agent.routing_failed", shop_id=shop_id, reason=error.slug)
            finally:
                if moved:
                    self._moved[shop_id, reason] |= moved

    async def _handle(self, records: list[Record]) -> None:
        for record in records:
            found = _read(record)
            if found is None:
                continue
            at, report = found
            if not report.leaving and at >= self._clock.now() - self._stale_after:
                staff = [one.person_id for one in report.people if one.role is not Role.BUYER]
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


def _batches(people: Sequence[PersonId]) -> Iterator[Sequence[PersonId]]:
    return (people[at : at + AT_ONCE] for at in range(0, len(people), AT_ONCE))


def _read(record: Record) -> tuple[datetime, Report] | None:
    """Return a report and when it was made; None for another event. Raises `Dead`."""
    headers = dict(record.headers)
    if headers.get("ce_type") != _REPORTED:
        try:
            decode(record)
        except (UnknownEvent, UnreadableEvent) as error:
            raise Dead(str(error), record) from None
        return None
    try:
        at = datetime.fromisoformat(headers["ce_time"].decode())
        report = read_report(record.value or b"")
    except (KeyError, ValueError, msgspec.MsgspecError) as error:
        raise Dead(f"{PresenceReported.type}: {type(error).__name__}", record) from None
    if at.tzinfo is None:
        raise Dead(f"{PresenceReported.type}: its time has no zone", record)
    return at, report
