"""What clients ask of reports, and what is answered."""

from datetime import date, timedelta
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from contracts.base import Moment
from contracts.people import PersonId, ShopId
from kit.web.app import Body
from services.monitor.access.schemas import Answer, Figure
from services.monitor.reports.domain import HoursBy, WordingBy

DAYS_LIMIT: Final = timedelta(days=93)
_YEARS: Final = range(2000, 2100)


class DaysQuery(Body):
    """Which days of a shop: its local dates, `to` excluded."""

    shop: str = Field(min_length=1, max_length=64)
    start: date = Field(alias="from", examples=["2026-11-11"])
    end: date = Field(alias="to", examples=["2026-11-12"])

    @model_validator(mode="after")
    def _is_a_stretch(self) -> Self:
        if not timedelta() < self.end - self.start <= DAYS_LIMIT:
            raise ValueError(f"`to` must be after `from`, by at most {DAYS_LIMIT.days} days")
        if self.start.year not in _YEARS or self.end.year not in _YEARS:
            raise ValueError(f"days must be between {_YEARS.start} and {_YEARS.stop - 1}")
        return self


class WaitsQuery(DaysQuery):
    """How buyers waited, by the hour or by the day."""

    bucket: Literal["hour", "day"] = "day"


class WaitsRow(Answer):
    """One part: how many began and ceased to wait, the most that did at the end of a minute.

    `waited_minutes` adds up those who waited at the end of each minute.
    """

    start: Moment
    began: int
    ended: int
    most: int
    waited_minutes: int


class Waits(Answer):
    """How buyers waited for a person. Parts that have not begun have no row."""

    shop_id: ShopId
    time_zone: str
    start: Moment
    end: Moment
    bucket: Literal["hour", "day"]
    rows: list[WaitsRow]


class WordingQuery(DaysQuery):
    """What the gate and the monitor made of words."""

    by: WordingBy = WordingBy.CATEGORY


class WordingSums(Answer):
    """Messages that the gate stopped, asked about, and of which the agent said that he meant them.

    `flags_agent` and `flags_buyer` are delivered messages that break a rule.
    """

    blocked: int
    asked: int
    meant: int
    flags_agent: int
    flags_buyer: int


class WordingRow(WordingSums):
    """Sums of one category, agent or day; the other two are null.

    A message of two categories counts in both. What no agent said is in no agent's row.
    """

    category: str | None = None
    agent_id: PersonId | None = None
    start: Moment | None = None


class WordingReport(Answer):
    """What became of words. `whole` counts each message once."""

    shop_id: ShopId
    time_zone: str
    start: Moment
    end: Moment
    by: WordingBy
    whole: WordingSums
    rows: list[WordingRow]


class HoursQuery(DaysQuery):
    """How long agents were at their desks."""

    by: HoursBy = HoursBy.AGENT


class HoursRow(Answer):
    """How long an agent was what, or all agents together on a day; the other one is null.

    `agents` counts who was at his desk, online or busy, between `first` and `last`. What nobody
    told of is `unknown_ms` and never guessed. `utilisation` is how much of their time online and
    busy they had a buyer.
    """

    agent_id: PersonId | None = None
    start: Moment | None = None
    agents: int
    first: Moment | None
    last: Moment | None
    online_ms: int
    busy_ms: int
    break_ms: int
    suspended_ms: int
    unknown_ms: int
    utilisation: Figure


class HoursReport(Answer):
    """How long agents were what, through `as_of` at most; null: nothing is known yet.

    Who had a buyer is told of whole days from `served_from` on; null: of none.
    """

    shop_id: ShopId
    time_zone: str
    start: Moment
    end: Moment
    as_of: Moment | None
    served_from: date | None
    by: HoursBy
    rows: list[HoursRow]
