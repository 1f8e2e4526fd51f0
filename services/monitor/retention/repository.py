"""Finds and deletes rows that are older than a moment, shop by shop. Must not know which moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import (
    ARRAY,
    CursorResult,
    Text,
    any_,
    delete,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from contracts.people import ShopId
from services.monitor.alerting.models import AlertRow, MuteRow
from services.monitor.alerts.models import AlertStateRow, JudgementRow
from services.monitor.channels.models import DeliveryRow
from services.monitor.curve.models import WaitingMinuteRow
from services.monitor.evidence.models import ConfirmationRow, IncidentRow
from services.monitor.facts.models import AgentStateRow
from services.monitor.handoffs.models import LongWaitRow
from services.monitor.reception.models import ReceptionRow
from services.monitor.response.models import CounterRow, RoundRow, SessionRow
from services.monitor.tables import Base
from services.monitor.traffic.models import TrafficRow, TurnRow
from services.monitor.waiting.models import FiringRow
from services.monitor.wording.models import FlagRow

Moment: TypeAlias = int | date
"""Milliseconds since 1970, or a local day: whatever a table tells its rows' age by."""


@dataclass(frozen=True, slots=True)
class Aged:
    """Rows of shops that grow old; an index begins with `shop` and `at`."""

    row: type[Base]
    shop: InstrumentedAttribute[str]
    at: InstrumentedAttribute[int] | InstrumentedAttribute[date]


FIGURES: Final = (
    Aged(RoundRow, RoundRow.shop_id, RoundRow.opened_ms),
    Aged(SessionRow, SessionRow.shop_id, SessionRow.started_ms),
    Aged(CounterRow, CounterRow.shop_id, CounterRow.day),
    Aged(TrafficRow, TrafficRow.shop_id, TrafficRow.day),
    Aged(TurnRow, TurnRow.shop_id, TurnRow.from_ms),
    Aged(AgentStateRow, AgentStateRow.shop_id, AgentStateRow.since_ms),
    Aged(WaitingMinuteRow, WaitingMinuteRow.shop_id, WaitingMinuteRow.day),
)
EVIDENCE: Final = (
    Aged(FlagRow, FlagRow.shop_id, FlagRow.at_ms),
    Aged(ReceptionRow, ReceptionRow.shop_id, ReceptionRow.at_ms),
    Aged(IncidentRow, IncidentRow.shop_id, IncidentRow.held_ms),
    Aged(ConfirmationRow, ConfirmationRow.shop_id, ConfirmationRow.confirmed_ms),
    Aged(JudgementRow, JudgementRow.shop_id, JudgementRow.judged_ms),
    Aged(AlertStateRow, AlertStateRow.shop_id, AlertStateRow.acknowledged_ms),
)
ALERTS: Final = (
    Aged(FiringRow, FiringRow.shop_id, FiringRow.due_ms),
    Aged(AlertRow, AlertRow.shop_id, AlertRow.opened_ms),
    Aged(DeliveryRow, DeliveryRow.shop_id, DeliveryRow.created_ms),
    Aged(MuteRow, MuteRow.shop_id, MuteRow.until_ms),
    Aged(LongWaitRow, LongWaitRow.shop_id, LongWaitRow.due_ms),
)


async def oldest(session: AsyncSession, aged: Aged) -> Mapping[ShopId, Moment]:
    """Return when each shop's oldest row is from, by one look into the index per shop."""
    first = select(aged.shop.label("shop"), aged.at.label("at")).order_by(aged.shop, aged.at)
    found = select(first.limit(1).subquery()).cte("found", recursive=True)
    later = first.where(aged.shop > found.c.shop).limit(1).lateral()
    found = found.union_all(select(later).select_from(found.join(later, true())))
    return {ShopId(shop): at for shop, at in await session.execute(select(found))}


async def delete_older(
    session: AsyncSession, aged: Aged, shop_id: ShopId, *, before: Moment, limit: int
) -> int:
    """Delete at most `limit` rows of a shop that are older, oldest first; return how many.

    What another sweep is deleting is passed over.
    """
    old = select(_PLACE).select_from(aged.row).where(aged.shop == shop_id, aged.at < before)
    old = old.order_by(aged.at).limit(limit).with_for_update(skip_locked=True)
    found = any_(func.array(old.scalar_subquery(), type_=ARRAY(Text)))
    return _rows(await session.execute(delete(aged.row).where(found == _PLACE)))


async def delete_spans(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` spans that another had followed by that moment; return how many.

    The newest of a shop and partition stays, however old: it is in force.
    """
    asked = {"before": before, "limit": limit}
    return sum([_rows(await session.execute(spans, asked)) for spans in _SPANS])


_PLACE: Final = literal_column("ctid", Text)
"""Where a row lies: found by it, no index is asked a second time."""


def _rows(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount


_SPANS: Final = tuple(
    text(
        f"""
    delete from {table} where (generation, partition, shop_id, first_offset) in (
        select generation, partition, shop_id, first_offset
        from (
            select generation, partition, shop_id, first_offset, lead(begun_at) over (
                partition by generation, partition, shop_id order by first_offset) as followed_at
            from {table}
        ) as spans
        where followed_at < :before limit :limit)
    """
    )
    for table in ("wording_spans", "reception_spans")
)
