"""What clients ask of figures, and what is answered. Durations are whole milliseconds."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from contracts.base import Moment
from contracts.people import PersonId, ShopId
from kit.web.app import Body
from profiles import WindowBy
from services.monitor.access.schemas import Answer, Figure
from services.monitor.figures.domain import SHIFT, Bucket
from services.monitor.figures.metrics import Metric, Unit


class FiguresQuery(Body):
    """Which figures. `from` and `to` are local dates or RFC 3339 times, `to` excluded.

    `shift` asks for those hours alone of each date, a row for each: one that ends before it begins
    ends on the next date, also on `to` itself. `metrics` names figures, with commas between them.
    """

    shop: str = Field(min_length=1, max_length=64)
    profile: str = Field(min_length=1, max_length=40)
    start: str = Field(alias="from", min_length=10, max_length=35, examples=["2026-11-11"])
    end: str = Field(alias="to", min_length=10, max_length=35, examples=["2026-11-12"])
    by: Literal["shop", "agent"] = "shop"
    bucket: Bucket | None = None
    shift: str | None = Field(default=None, pattern=SHIFT, examples=["16:00-01:00"])
    metrics: tuple[Metric, ...] = Field(default=(), examples=["frt_p90,round_p90"])

    @field_validator("metrics", mode="before")
    @classmethod
    def _named(cls, told: object) -> object:
        if isinstance(told, str):
            told = [told]
        if not isinstance(told, list | tuple):
            return told
        names = [name for one in told for name in str(one).split(",")]
        return tuple(dict.fromkeys(names))

    @model_validator(mode="after")
    def _is_cut_once(self) -> Self:
        if self.bucket is not None and self.shift is not None:
            raise ValueError("a stretch is cut by `bucket` or by `shift`")
        return self


class FigureWindow(Answer):
    """Which hours of a day count, by the clock on the shop's wall; `by` which moment."""

    by: WindowBy
    start: str
    end: str
    zone: str


class Measured(Figure):
    """A figure of one row. Of a percentile `value` is the sample whose rank is `numerator`.

    Where `exact` is false it may be off by one percent. Days before `available_from` are not in
    it, `version` is the day from which the rules hold that rule at the end of the stretch.
    """

    unit: Unit
    exact: bool = True
    available_from: date | None = None
    window: FigureWindow
    version: date | None = None
    as_of: Moment | None = None


class FiguresRow(Answer):
    """One row of figures. `agent_id` is null for the whole shop and for what nobody owned.

    `start` is where its part of the stretch or its shift begins, null where the stretch is not cut;
    parts in which nothing counts have no row.

    Averages follow from the sums: `round_ms / rounds`, `first_response_ms / first_responses`,
    `first_within / sessions`, `within / rounds`. Percentiles of more than 100,000 rounds may be off
    by one percent. `metrics` are the figures that were asked for by name.
    """

    agent_id: PersonId | None
    start: Moment | None = None
    rounds: int
    round_ms: int
    unanswered: int
    within: int
    slow: int
    sessions: int
    first_responses: int
    first_response_ms: int
    first_within: int
    round_p50_ms: int | None
    round_p90_ms: int | None
    round_p95_ms: int | None
    round_max_ms: int | None
    buyers: int
    buyers_unanswered: int
    buyers_late: int
    metrics: dict[Metric, Measured] = Field(default_factory=dict)


class Figures(Answer):
    """Figures of `[from, to)` under one profile.

    Rounds count by the moment they opened, sessions by their start. As long as its day goes on a
    round in which a buyer waits counts nowhere, nor does its session that has no answer yet.
    `open_rounds` are the shop's buyers who wait since a moment within, whatever the profile. Of
    shifts `start` and `end` are those of the first and the last.
    """

    shop_id: ShopId
    profile: str
    effective_from: list[date]
    within_ms: int
    slow_ms: int
    first_within_ms: int
    time_zone: str
    start: Moment
    end: Moment
    as_of: Moment | None
    open_rounds: int
    by: Literal["shop", "agent"]
    bucket: Bucket | None = None
    shift: str | None = None
    rows: list[FiguresRow]
