"""Answers how many waited through a day. Must not know routes or SQL."""

from datetime import UTC, datetime

from contracts.people import ShopId
from kit.clock import Clock
from kit.postgres import Database
from services.monitor.curve import repository
from services.monitor.curve.domain import MINUTE_MS, Minute, waiting
from services.monitor.curve.schemas import Curve, CurveQuery
from services.monitor.directory.rules import Rules
from services.monitor.traffic import repository as traffic


class CurveReader:
    """Reads the curve of a day: what is settled, and who waits still. Readers may add them."""

    def __init__(self, database: Database, rules: Rules, *, clock: Clock) -> None:
        self._db = database
        self._rules = rules
        self._clock = clock

    async def read(self, shop_id: ShopId, query: CurveQuery) -> Curve:
        """Return a day's minutes, today's up to the one that runs; none of a day to come."""
        calendar = self._rules.directory.calendar(shop_id)
        now_ms = self._clock.now_ms()
        day = query.day or calendar.day(now_ms)
        start_ms = calendar.midnight(day)
        end_ms = calendar.day_end(start_ms)
        first, end = start_ms // MINUTE_MS, min(end_ms, now_ms + MINUTE_MS) // MINUTE_MS
        async with self._db.read(shop_id) as session:
            settled = dict(await repository.minutes(session, shop_id, day=day))
            still = await repository.still(session, shop_id)
            as_of = await traffic.as_of_ms(session, shop_id)
        numbers = waiting(settled, still, first=first, end=end)
        for minute, count in still:
            settled[minute] = settled.get(minute, Minute()).plus(Minute(opened=count))
        parts = [settled.get(minute, Minute()) for minute in range(first, end)]
        return Curve(
            shop_id=shop_id,
            day=day,
            time_zone=str(calendar.zone),
            start=_moment(start_ms),
            end=_moment(end_ms),
            as_of=None if as_of is None else _moment(as_of),
            waiting=numbers,
            opened=[one.opened for one in parts],
            closed=[one.closed for one in parts],
        )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
