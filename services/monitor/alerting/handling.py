"""What leaders do with alerts that stand: list them, take care of one, mute what they know of."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from contracts.people import PersonId, ShopId
from kit.audit import Audit
from kit.clock import Clock
from kit.errors import Conflict, NotFound
from kit.idempotency import CommandKey
from kit.ids import Ids
from kit.postgres import Database
from kit.web import paging
from kit.web.paging import Cursors, Page
from kit.web.problems import invalid
from kit.web.tokens import Principal
from services.monitor.alerting import repository
from services.monitor.alerting.domain import HELD_MUTE_MOST_S, MUTE_MOST_S, AlertState, Over
from services.monitor.alerting.models import AlertRow, MuteRow
from services.monitor.alerting.repository import Place
from services.monitor.alerting.schemas import (
    Mutes,
    MuteView,
    NewMute,
    StandingQuery,
    StandingView,
    Unmuted,
)
from services.monitor.alerting.service import Alerting, RulesOf, is_muted
from services.monitor.channels.domain import Level

MUTES_MOST: Final = 100


class TooManyMutes(Conflict):
    """The shop is deaf to as much as it may be."""

    slug, title = "too_many_mutes", f"A shop has at most {MUTES_MOST} mutes at a time"


def _place(kept: Mapping[str, Any]) -> Place:
    return Place(int(kept["at"]), str(kept["id"]))


NEWEST_FIRST: Final[paging.Order[AlertRow, Place]] = paging.Order(
    lambda row: {"at": row.opened_ms, "id": row.id}, _place
)


class Handling:
    """A shop's alerts in its leaders' hands; mutes are audited."""

    def __init__(
        self,
        database: Database,
        alerting: Alerting,
        rules_of: RulesOf,
        *,
        cursors: Cursors,
        audit: Audit,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._db = database
        self._alerting = alerting
        self._rules_of = rules_of
        self._cursors = cursors
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def page(self, shop_id: ShopId, query: StandingQuery) -> Page[StandingView]:
        """Return a page of alerts, newest first. Raises `BadCursor`."""
        page = paging.page(
            self._cursors, query, by=NEWEST_FIRST, shop_id=shop_id, list_name="standing alerts"
        )
        async with self._db.read(shop_id) as session:
            rows = await repository.page(
                session, shop_id, state=query.state, after=page.after, limit=page.limit
            )
            muted = await repository.mutes(session, shop_id, now_ms=self._clock.now_ms())
        return page.show(rows, lambda row: _view(row, muted))

    async def acknowledge(
        self, principal: Principal, alert_id: str, *, key: CommandKey
    ) -> StandingView:
        """Take care of an alert, which ends its escalation and not its counting.

        One that somebody took care of before, or that is over, stays as it is. Raises `NotFound`.
        """
        shop_id, now_ms = ShopId(principal.shop_id), self._clock.now_ms()
        async with self._db.keyed(key) as command:
            rows = await repository.by_ids(command.session, shop_id, [alert_id])
            if not rows:
                raise NotFound
            await self._alerting.acknowledge_one(command.session, rows[0])
            await self._audit.note(command.session, principal, "alert_acknowledged", alert_id)
            muted = await repository.mutes(command.session, shop_id, now_ms=now_ms)
            return await command.keep(_view(rows[0], muted))

    async def mutes(self, shop_id: ShopId) -> Mutes:
        """Return what the shop is not told now."""
        async with self._db.read(shop_id) as session:
            rows = await repository.mutes(session, shop_id, now_ms=self._clock.now_ms())
        return Mutes(items=[_mute(row) for row in rows])

    async def mute(self, principal: Principal, new: NewMute, *, key: CommandKey) -> MuteView:
        """Store alerts of a rule without telling them, for a while.

        Raises 422 for a rule that is none or a time too far, and `TooManyMutes`.
        """
        shop_id, now_ms = ShopId(principal.shop_id), self._clock.now_ms()
        until_ms = round(new.until.timestamp() * 1000)
        rule = next((one for one in self._rules_of(shop_id) if one.name == new.rule), None)
        if rule is None:
            raise invalid([{"loc": ("body", "rule"), "msg": "no_such_rule"}])
        most_s = HELD_MUTE_MOST_S if rule.over is Over.INCIDENTS else MUTE_MOST_S
        if not now_ms < until_ms <= now_ms + most_s * 1000:
            raise invalid([{"loc": ("body", "until"), "msg": f"at most {most_s} s from now"}])
        async with self._db.keyed(key) as command:
            held = await repository.mutes(command.session, shop_id, now_ms=now_ms)
            if len(held) >= MUTES_MOST:
                raise TooManyMutes
            row = MuteRow(
                id=self._ids.new(),
                shop_id=shop_id,
                rule=new.rule,
                object_id=new.object_id,
                until_ms=until_ms,
                reason=new.reason,
                person_id=PersonId(principal.subject),
                name=principal.name,
                created_ms=now_ms,
            )
            command.session.add(row)
            await self._audit.note(
                command.session, principal, "alert_muted", new.rule, note=new.reason
            )
            return await command.keep(_mute(row))

    async def unmute(self, principal: Principal, mute_id: str) -> Unmuted:
        """End a mute. Raises `NotFound`."""
        shop_id = ShopId(principal.shop_id)
        async with self._db.write(shop_id) as session:
            if not await repository.unmute(session, shop_id, mute_id):
                raise NotFound
            await self._audit.note(session, principal, "alert_unmuted", mute_id)
        return Unmuted(id=mute_id)


def _view(row: AlertRow, muted: Sequence[MuteRow]) -> StandingView:
    return StandingView(
        id=row.id,
        rule=row.rule,
        title=row.title,
        level=Level(row.level),
        state=AlertState(row.state),
        object_id=row.object_id,
        conversation_id=row.conversation_id,
        agent_id=row.agent_id,
        count=row.count,
        value=row.value,
        escalated=row.stage,
        flapping=row.flapping,
        muted=is_muted(muted, row.rule, row.object_id),
        opened_at=_moment(row.opened_ms),
        last_at=_moment(row.last_ms),
        acknowledged_at=None if row.acknowledged_ms is None else _moment(row.acknowledged_ms),
        resolved_at=None if row.resolved_ms is None else _moment(row.resolved_ms),
    )


def _mute(row: MuteRow) -> MuteView:
    return MuteView(
        id=row.id,
        rule=row.rule,
        object_id=row.object_id,
        until=_moment(row.until_ms),
        reason=row.reason,
        person_id=row.person_id,
        name=row.name,
        at=_moment(row.created_ms),
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
