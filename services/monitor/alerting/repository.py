"""Rows of alerts and mutes. Must not know rules, nor who is told."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import delete, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.alerting.domain import AlertState, Hits, Key, Over, Standing
from services.monitor.alerting.models import AlertRow, MuteRow
from services.monitor.channels.domain import Level
from services.monitor.tables import many


class Place(NamedTuple):
    """The last alert of a page."""

    at_ms: int
    id: str


class Opening(NamedTuple):
    """An alert that opens."""

    id: str
    key: Key
    hits: Hits
    quiet_ms: int


class Going(NamedTuple):
    """An alert that goes on. `told_ms`: when it was told last."""

    id: str
    hits: Hits
    level: Level
    told_ms: int
    quiet_ms: int


async def standing(
    session: AsyncSession, shop_id: ShopId, keys: Sequence[Key]
) -> dict[Key, Standing]:
    """Lock and return the alerts of these keys that stand."""
    row = AlertRow
    place = tuple_(row.rule, row.rule_version, row.object_id)
    found = select(row).where(row.shop_id == shop_id, row.resolved_ms.is_(None), place.in_(keys))
    rows = await session.scalars(found.order_by(row.id).with_for_update())
    return {one.key: one for one in map(_standing, rows)}


async def by_ids(session: AsyncSession, shop_id: ShopId, ids: Sequence[str]) -> Sequence[AlertRow]:
    """Lock and return alerts of the shop."""
    row = AlertRow
    found = select(row).where(row.shop_id == shop_id, row.id.in_(ids)).order_by(row.id)
    return (await session.scalars(found.with_for_update())).all()


async def open_alerts(
    session: AsyncSession, shop_id: ShopId, alerts: Sequence[Opening], *, now_ms: int
) -> None:
    """Insert alerts."""
    rows = [
        (one.id, one.key.rule, one.key.version, json.dumps(dict(one.hits.rule.title)),
         one.hits.rule.over.value, one.key.object_id, one.hits.latest.conversation_id,
         one.hits.latest.agent_id, one.hits.level.value, one.hits.count, one.hits.latest.value,
         one.hits.first_ms, one.hits.latest.at_ms, one.quiet_ms)
        for one in alerts
    ]  # fmt: skip
    names = ("ids", "rules", "versions", "titles", "overs", "objects", "conversations", "agents",
             "levels", "counts", "amounts", "firsts", "lasts", "quiets")  # fmt: skip
    await many(session, _OPEN, names=names, rows=rows, shop=shop_id, now=now_ms)


async def count(session: AsyncSession, alerts: Sequence[Going]) -> None:
    """Count repeats."""
    rows = [
        (one.id, one.hits.count, one.level.value, one.hits.latest.at_ms, one.hits.latest.value,
         one.told_ms, one.quiet_ms, one.hits.latest.conversation_id, one.hits.latest.agent_id)
        for one in alerts
    ]  # fmt: skip
    names = ("ids", "counts", "levels", "lasts", "amounts", "tolds", "quiets", "conversations",
             "agents")  # fmt: skip
    await many(session, _COUNT, names=names, rows=rows)


async def about(
    session: AsyncSession, shop_id: ShopId, *, over: Over, conversations: Sequence[str]
) -> Sequence[AlertRow]:
    """Lock and return the open alerts of that kind that were about these conversations last."""
    row = AlertRow
    found = select(row).where(
        row.shop_id == shop_id,
        row.resolved_ms.is_(None),
        row.state == AlertState.OPEN.value,
        row.source == over.value,
        row.conversation_id.in_(conversations),
    )
    return (await session.scalars(found.order_by(row.id).with_for_update())).all()


async def quiet(session: AsyncSession, *, now_ms: int, limit: int) -> dict[ShopId, list[str]]:
    """Return by shop the ids of the alerts to be looked at."""
    row = AlertRow
    found = select(row.shop_id, row.id)
    found = found.where(row.resolved_ms.is_(None), row.quiet_ms <= now_ms)
    by_shop: dict[ShopId, list[str]] = {}
    for shop, alert_id in await session.execute(found.order_by(row.quiet_ms).limit(limit)):
        by_shop.setdefault(ShopId(shop), []).append(alert_id)
    return by_shop


async def openings(session: AsyncSession, alert: AlertRow, *, since_ms: int) -> int:
    """Return how often an alert of the same key opened since then, this one included."""
    row = AlertRow
    found = select(row.id).where(
        row.shop_id == alert.shop_id,
        row.opened_ms >= since_ms,
        row.rule == alert.rule,
        row.rule_version == alert.rule_version,
        row.object_id == alert.object_id,
    )
    return len((await session.scalars(found)).all())


async def waiting(session: AsyncSession, conversations: Sequence[str]) -> set[str]:
    """Return those of these conversations in which a buyer waits."""
    found = await session.scalars(_WAITING, {"conversations": list(conversations)})
    return set(found)


async def page(
    session: AsyncSession,
    shop_id: ShopId,
    *,
    state: AlertState | None,
    after: Place | None,
    limit: int,
) -> Sequence[AlertRow]:
    """Return at most `limit` alerts of a shop that stand behind `after`, newest first."""
    row = AlertRow
    found = select(row).where(row.shop_id == shop_id)
    if state is not None:
        found = found.where(row.state == state.value)
    if after is not None:
        found = found.where(tuple_(row.opened_ms, row.id) < tuple_(after.at_ms, after.id))
    found = found.order_by(row.opened_ms.desc(), row.id.desc()).limit(limit)
    return (await session.scalars(found)).all()


async def mutes(session: AsyncSession, shop_id: ShopId, *, now_ms: int) -> Sequence[MuteRow]:
    """Return what a shop does not want to hear now."""
    found = select(MuteRow).where(MuteRow.shop_id == shop_id, MuteRow.until_ms > now_ms)
    return (await session.scalars(found.order_by(MuteRow.until_ms, MuteRow.id))).all()


async def unmute(session: AsyncSession, shop_id: ShopId, mute_id: str) -> bool:
    """End a mute; return False if there is none."""
    gone = delete(MuteRow).where(MuteRow.id == mute_id, MuteRow.shop_id == shop_id)
    return (await session.scalar(gone.returning(MuteRow.id))) is not None


def _standing(row: AlertRow) -> Standing:
    return Standing(
        row.id,
        Key(row.rule, row.rule_version, row.object_id),
        Level(row.level),
        AlertState(row.state),
        row.count,
        row.stage,
        row.opened_ms,
        row.told_ms,
    )


_OPEN: Final = text(
    """
    insert into alerts (id, shop_id, rule, rule_version, title, source, object_id, conversation_id,
        agent_id, level, state, count, value, stage, flapping, opened_ms, last_ms, told_ms,
        quiet_ms)
    select id, :shop, rule, version, title, source, object, conversation, agent, level, 'open', n,
        amount, 0, false, first, last, cast(:now as bigint), quiet
    from unnest(cast(:ids as text[]), cast(:rules as text[]), cast(:versions as bigint[]),
        cast(:titles as jsonb[]), cast(:overs as text[]), cast(:objects as text[]),
        cast(:conversations as text[]), cast(:agents as text[]), cast(:levels as text[]),
        cast(:counts as bigint[]), cast(:amounts as bigint[]), cast(:firsts as bigint[]),
        cast(:lasts as bigint[]), cast(:quiets as bigint[]))
        as a(id, rule, version, title, source, object, conversation, agent, level, n, amount, first,
            last, quiet)
    """
)
_COUNT: Final = text(
    """
    update alerts set count = count + n, level = a.level, last_ms = greatest(last_ms, last),
        value = coalesce(amount, value), told_ms = told, quiet_ms = greatest(quiet_ms, quiet),
        conversation_id = conversation, agent_id = agent
    from unnest(cast(:ids as text[]), cast(:counts as bigint[]), cast(:levels as text[]),
        cast(:lasts as bigint[]), cast(:amounts as bigint[]), cast(:tolds as bigint[]),
        cast(:quiets as bigint[]), cast(:conversations as text[]), cast(:agents as text[]))
        as a(id, n, level, last, amount, told, quiet, conversation, agent)
    where alerts.id = a.id
    """
)
_WAITING: Final = text(
    """
    select conversation_id from conversations
    where conversation_id = any(:conversations) and waiting_ms is not null
    """
)
