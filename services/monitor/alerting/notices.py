"""What is told of an alert: to channels as a notice, to other services as an event. Pure."""

from datetime import UTC, datetime
from typing import Final, Literal

from contracts.monitor import AlertChanged, AlertOpened, AlertResolved, StandingAlert
from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.alerting.domain import Counted, Hits, Over
from services.monitor.alerting.models import AlertRow
from services.monitor.channels.domain import Level, Notice, Step

_UNITS: Final = {Over.WAITS: "s"}


def notice_of(hits: Hits, step: Step, row: Counted, *, agent: str) -> Notice:
    """Return what channels are told of an alert that a batch opened, raised or repeated."""
    return Notice(
        rule=hits.rule.name,
        title=hits.rule.title,
        level=row.level,
        step=step,
        at_ms=hits.latest.at_ms,
        count=row.times,
        alert_id=row.id,
        opened_ms=row.opened_ms,
        value=hits.latest.value,
        unit=_UNITS.get(hits.rule.over),
        agent=agent or None,
        path=_path(hits.latest.conversation_id),
    )


def notice_again(row: AlertRow, step: Step, *, level: Level, at_ms: int, agent: str) -> Notice:
    """Return what channels are told of a stored alert."""
    return Notice(
        rule=row.rule,
        title=row.title,
        level=level,
        step=step,
        at_ms=at_ms,
        count=row.count,
        alert_id=row.id,
        opened_ms=row.opened_ms,
        value=row.value,
        unit=_UNITS.get(Over(row.source)),
        agent=agent or None,
        path=_path(row.conversation_id),
    )


def event_of(hits: Hits, step: Step, row: Counted, *, event_id: str, at_ms: int) -> StandingAlert:
    """Return the event of an alert that a batch opened, raised or repeated."""
    told = {
        "id": event_id,
        "time": _moment(at_ms),
        "shop_id": hits.latest.shop_id,
        "alert_id": row.id,
        "rule": hits.rule.name,
        "rule_version": hits.rule.version,
        "level": row.level.value,
        "count": row.times,
        "value": hits.latest.value,
        "conversation_id": hits.latest.conversation_id,
        "agent_id": hits.latest.agent_id,
    }
    if step is Step.OPENED:
        return AlertOpened.model_validate(told)
    return AlertChanged.model_validate(told | {"change": step.value})


def event_again(
    row: AlertRow,
    change: Literal["escalated", "acknowledged"] | None,
    *,
    event_id: str,
    at_ms: int,
) -> StandingAlert:
    """Return the event of a stored alert; without a change it is over."""
    told = {
        "id": event_id,
        "time": _moment(at_ms),
        "shop_id": ShopId(row.shop_id),
        "alert_id": row.id,
        "rule": row.rule,
        "rule_version": row.rule_version,
        "level": row.level,
        "count": row.count,
        "value": row.value,
        "conversation_id": None
        if row.conversation_id is None
        else ConversationId(row.conversation_id),
        "agent_id": None if row.agent_id is None else PersonId(row.agent_id),
    }
    if change is None:
        return AlertResolved.model_validate(told)
    return AlertChanged.model_validate(told | {"change": change})


def _path(conversation_id: str | None) -> str:
    return "/board" if conversation_id is None else f"/desk/{conversation_id}"


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
