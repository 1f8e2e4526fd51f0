"""What clients ask of the curve, and what is answered."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from contracts.base import Moment
from contracts.people import ShopId
from kit.web.app import Body
from services.monitor.access.schemas import Answer

_YEARS = range(2000, 2100)
"""What the fold takes for a time at all."""


class CurveQuery(Body):
    """Which day of a shop: its local date; without one it is today."""

    shop: str = Field(min_length=1, max_length=64)
    day: date | None = Field(default=None, examples=["2026-11-11"])

    @model_validator(mode="after")
    def _is_a_day(self) -> Self:
        if self.day is not None and self.day.year not in _YEARS:
            raise ValueError(f"`day` must be between {_YEARS.start} and {_YEARS.stop - 1}")
        return self


class Curve(Answer):
    """How many buyers waited for a person at the end of each minute of a local day.

    The first number is of the minute at `start`; there are as many as minutes have begun. `opened`
    and `closed` are those who began and ceased to wait in it.
    """

    shop_id: ShopId
    day: date
    time_zone: str
    start: Moment
    end: Moment = Field(description="where the next local day begins")
    as_of: Moment | None
    waiting: list[int]
    opened: list[int]
    closed: list[int]
