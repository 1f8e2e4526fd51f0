"""What clients ask of traffic, and what is answered."""

from datetime import date, timedelta
from typing import Final, Self

from pydantic import Field, model_validator

from contracts.base import Moment
from contracts.people import ShopId
from kit.web.app import Body
from services.monitor.access.schemas import Answer
from services.monitor.fold.measures import Row
from services.monitor.traffic.turns import ToldTurn

STRETCH_LIMIT: Final = timedelta(days=93)
"""Longest stretch of one question."""


class TrafficQuery(Body):
    """Which days of a shop: its local dates, `to` excluded."""

    shop: str = Field(min_length=1, max_length=64)
    start: date = Field(alias="from", examples=["2026-11-11"])
    end: date = Field(alias="to", examples=["2026-11-12"])

    @model_validator(mode="after")
    def _is_a_stretch(self) -> Self:
        if not timedelta() < self.end - self.start <= STRETCH_LIMIT:
            raise ValueError(f"`to` must be after `from`, by at most {STRETCH_LIMIT.days} days")
        return self


class TrafficDay(Answer):
    """What was counted on one local day."""

    day: date
    sums: dict[str, int | None] = Field(
        description="by name; null where the day began before this was counted"
    )


class TrafficDays(Answer):
    """What was said in a shop, by local day; a day without a word is left out."""

    shop_id: ShopId
    time_zone: str
    as_of: Moment | None
    days: list[TrafficDay]


def turn_row(told: ToldTurn, day: date) -> Row:
    """Return a turn as it is compared with what is stored."""
    turn, standing = told.turn, told.standing
    values = (
        standing.shop_id, standing.name, standing.buyer_id, turn.agent_id, turn.owned, day,
        turn.from_ms, turn.last_ms, turn.until_ms, turn.buyer_words, len(turn.agent_ms),
        tuple(turn.agent_ms), tuple(turn.agent_offsets),
    )  # fmt: skip
    born = standing.born_offset
    return Row("turns", (turn.first_offset,), values, born, standing.name, day)
