"""Answers what was said in a shop, day by day. Must not know routes or SQL."""

from datetime import UTC, datetime

from contracts.people import ShopId
from kit.postgres import Database
from services.monitor.directory.rules import Rules
from services.monitor.traffic import repository
from services.monitor.traffic.schemas import TrafficDay, TrafficDays, TrafficQuery


class TrafficReader:
    """Reads sums by day. Readers may add them."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self._db = database
        self._rules = rules

    async def read(self, shop_id: ShopId, query: TrafficQuery) -> TrafficDays:
        """Return the days that were asked for, ascending."""
        async with self._db.read(shop_id) as session:
            days = await repository.days(session, shop_id, start=query.start, end=query.end)
            as_of = await repository.as_of_ms(session, shop_id)
        return TrafficDays(
            shop_id=shop_id,
            time_zone=str(self._rules.directory.calendar(shop_id).zone),
            as_of=None if as_of is None else datetime.fromtimestamp(as_of / 1000, UTC),
            days=[TrafficDay(day=day, sums=sums) for day, sums in days.items()],
        )
