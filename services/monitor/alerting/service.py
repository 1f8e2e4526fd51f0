"""Counts what happened into alerts, and says which of it is told (N40). Must not know SQL.

Everything of a shop is one transaction: the alert, its event, its deliveries, its escalation.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.monitor import StandingAlert
from contracts.people import PersonId, ShopId
from kit import inbox, outbox, timers
from kit.clock import Clock
from kit.ids import Ids
from kit.postgres import Database
from kit.timers import Timer
from services.monitor.alerting import repository
from services.monitor.alerting.domain import (
    FLAPPING_MS,
    FLAPS,
    OLD_MS,
    AlertState,
    Happened,
    Hits,
    Key,
    Over,
    Rule,
    counted,
    gathered,
    quiet_ms,
    step_of,
)
from services.monitor.alerting.models import AlertRow, MuteRow
from services.monitor.alerting.notices import event_again, event_of, notice_again, notice_of
from services.monitor.alerting.repository import Going, Opening
from services.monitor.channels.domain import Level, Step
from services.monitor.channels.telling import Addressed, tell

CONSUMER: Final = "monitor.alerts"
ESCALATE: Final = "alert.escalate"

QUIET_AT_ONCE: Final = 500
"""Alerts that one look resolves or puts off."""

RulesOf: TypeAlias = Callable[[ShopId], Sequence[Rule]]
NameOf: TypeAlias = Callable[[PersonId], str]


class Alerting:
    """The alerts of all shops."""

    def __init__(
        self, database: Database, rules_of: RulesOf, name_of: NameOf, *, clock: Clock, ids: Ids
    ) -> None:
        self._db = database
        self._rules_of = rules_of
        self._name_of = name_of
        self._clock = clock
        self._ids = ids

    async def take(self, shop_id: ShopId, happened: Sequence[Happened]) -> None:
        """Count what happened in a shop, each thing once. What is old is passed over."""
        now_ms = self._clock.now_ms()
        recent = {one.id: one for one in happened if one.at_ms >= now_ms - OLD_MS}
        if not recent:
            return
        async with self._db.write(shop_id) as session:
            new = await inbox.unseen(session, CONSUMER, recent)
            hits = gathered(
                self._rules_of(shop_id), [one for one in recent.values() if one.id in new]
            )
            if hits:
                await self._count(session, shop_id, hits, now_ms=now_ms)

    async def acknowledge(
        self, shop_id: ShopId, event_id: str, *, over: Over, conversation_id: str
    ) -> None:
        """Take an alert for taken care of because one of what it stands for was. Once an event."""
        async with self._db.write(shop_id) as session:
            if not await inbox.unseen(session, CONSUMER, [event_id]):
                return
            rows = await repository.about(
                session, shop_id, over=over, conversations=[conversation_id]
            )
            await self._acknowledged(session, rows)

    async def acknowledge_one(self, session: AsyncSession, row: AlertRow) -> None:
        """Take an alert for taken care of, in a transaction that has it locked."""
        if row.state == AlertState.OPEN.value:
            await self._acknowledged(session, [row])

    async def resolve_quiet(self) -> int:
        """End alerts that were quiet for as long as their rule says; return how many were seen.

        One of a wait stands for as long as the buyer waits; one that comes and goes stands on.
        """
        now_ms = self._clock.now_ms()
        async with self._db.read_across("alerts that have been quiet") as session:
            found = await repository.quiet(session, now_ms=now_ms, limit=QUIET_AT_ONCE)
        for shop_id, alerts in found.items():
            async with self._db.write(shop_id) as session:
                await self._resolve(session, shop_id, alerts, now_ms=now_ms)
        return sum(map(len, found.values()))

    async def escalate(self, shop_id: ShopId, ids: Sequence[str]) -> None:
        """Tell further people of alerts that nobody took care of."""
        now_ms = self._clock.now_ms()
        rules = {rule.name: rule for rule in self._rules_of(shop_id)}
        async with self._db.write(shop_id) as session:
            rows = await repository.by_ids(session, shop_id, ids)
            due = await timers.take(session, ESCALATE, [row.id for row in rows])
            muted = await repository.mutes(session, shop_id, now_ms=now_ms)
            addressed, events, waits = [], [], []
            for row in rows:
                rule = rules.get(row.rule)
                if row.id not in due or row.state != AlertState.OPEN.value or rule is None:
                    continue
                if row.stage >= len(rule.escalate):
                    continue
                to = rule.escalate[row.stage].to
                row.stage += 1
                events.append(event_again(row, "escalated", event_id=self._ids.new(), at_ms=now_ms))
                waits.append((rule, row.id, row.stage))
                if not is_muted(muted, row.rule, row.object_id):
                    notice = notice_again(
                        row,
                        Step.ESCALATED,
                        level=Level.CRITICAL,
                        at_ms=now_ms,
                        agent=self._named(row.agent_id),
                    )
                    addressed.append(Addressed(notice, to))
            await self._await_escalation(session, shop_id, waits)
            await tell(session, shop_id, addressed, ids=self._ids, now_ms=now_ms)
            await outbox.add(session, *events)

    async def _count(
        self, session: AsyncSession, shop_id: ShopId, hits: dict[Key, Hits], *, now_ms: int
    ) -> None:
        known = await repository.standing(session, shop_id, list(hits))
        muted = await repository.mutes(session, shop_id, now_ms=now_ms)
        opening: list[Opening] = []
        going: list[Going] = []
        addressed: list[Addressed] = []
        events: list[StandingAlert] = []
        for key, found in hits.items():
            standing = known.get(key)
            step = step_of(standing, found, now_ms=now_ms)
            row = counted(standing, found, new_id=self._ids.new())
            quiet = quiet_ms(found.rule, found.latest.at_ms)
            if standing is None:
                opening.append(Opening(row.id, key, found, quiet))
            else:
                told_ms = standing.told_ms if step is None else now_ms
                going.append(Going(row.id, found, row.level, told_ms, quiet))
            if step is None:
                continue
            events.append(event_of(found, step, row, event_id=self._ids.new(), at_ms=now_ms))
            if not is_muted(muted, key.rule, key.object_id):
                agent = self._named(found.latest.agent_id)
                notice = notice_of(found, step, row, agent=agent)
                addressed.append(Addressed(notice, found.rule.channels))
        await repository.open_alerts(session, shop_id, opening, now_ms=now_ms)
        await repository.count(session, going)
        waits = [(one.hits.rule, one.id, 0) for one in opening]
        await self._await_escalation(session, shop_id, waits)
        await tell(session, shop_id, addressed, ids=self._ids, now_ms=now_ms)
        await outbox.add(session, *events)

    async def _await_escalation(
        self, session: AsyncSession, shop_id: ShopId, alerts: Sequence[tuple[Rule, str, int]]
    ) -> None:
        """Start the timers of alerts whose rule says whom to tell next, by rule and stage."""
        waits = [one for one in alerts if one[2] < len(one[0].escalate)]
        if not waits:
            return
        now, started = await timers.now(session), []
        for rule, alert_id, stage in waits:
            before_s = rule.escalate[stage - 1].after_s if stage else 0
            pause = timedelta(seconds=max(1, rule.escalate[stage].after_s - before_s))
            started.append(Timer(ESCALATE, alert_id, shop_id, now + pause))
        await timers.start(session, *started)

    async def _acknowledged(self, session: AsyncSession, rows: Sequence[AlertRow]) -> None:
        now_ms = self._clock.now_ms()
        for row in rows:
            row.state, row.acknowledged_ms = AlertState.ACKNOWLEDGED.value, now_ms
        await timers.cancel(session, ESCALATE, [row.id for row in rows])
        events = (
            event_again(row, "acknowledged", event_id=self._ids.new(), at_ms=now_ms) for row in rows
        )
        await outbox.add(session, *events)

    async def _resolve(
        self, session: AsyncSession, shop_id: ShopId, ids: Sequence[str], *, now_ms: int
    ) -> None:
        rows = await repository.by_ids(session, shop_id, ids)
        rules = {rule.name: rule for rule in self._rules_of(shop_id)}
        waits = [row.conversation_id for row in rows if row.source == Over.WAITS.value]
        still = await repository.waiting(session, [one for one in waits if one is not None])
        over: list[AlertRow] = []
        for row in rows:
            if row.resolved_ms is not None or row.quiet_ms > now_ms:
                continue
            rule = rules.get(row.rule)
            if rule is not None and row.source == Over.WAITS.value and row.conversation_id in still:
                row.quiet_ms = now_ms + rule.resolve_s * 1000
            elif not row.flapping and await self._flaps(session, row, now_ms=now_ms):
                row.flapping, row.quiet_ms = True, now_ms + FLAPPING_MS
            else:
                row.state, row.resolved_ms = AlertState.RESOLVED.value, now_ms
                over.append(row)
        await timers.cancel(session, ESCALATE, [row.id for row in over])
        events = (event_again(row, None, event_id=self._ids.new(), at_ms=now_ms) for row in over)
        await outbox.add(session, *events)

    async def _flaps(self, session: AsyncSession, row: AlertRow, *, now_ms: int) -> bool:
        opened = await repository.openings(session, row, since_ms=now_ms - FLAPPING_MS)
        return opened >= FLAPS

    def _named(self, person_id: str | None) -> str:
        return "" if person_id is None else self._name_of(PersonId(person_id))


def is_muted(mutes: Sequence[MuteRow], rule: str, object_id: str) -> bool:
    return any(one.rule == rule and one.object_id in {None, object_id} for one in mutes)
