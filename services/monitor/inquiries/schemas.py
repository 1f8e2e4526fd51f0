"""What clients ask of inquiries, and what is answered."""

from datetime import date, timedelta
from typing import Final, Self

from pydantic import Field, model_validator

from contracts.base import Moment
from contracts.people import PersonId, ShopId
from kit.web.app import Body
from services.monitor.access.schemas import Answer, Figure
from services.monitor.inquiries.domain import InquiriesBy

DAYS_LIMIT: Final = timedelta(days=93)
_YEARS: Final = range(2000, 2100)


class InquiriesQuery(Body):
    """Which days of a shop (local dates, `to` excluded), under which profile."""

    shop: str = Field(min_length=1, max_length=64)
    profile: str = Field(min_length=1, max_length=40)
    start: date = Field(alias="from", examples=["2026-11-11"])
    end: date = Field(alias="to", examples=["2026-11-12"])
    by: InquiriesBy = InquiriesBy.AGENT

    @model_validator(mode="after")
    def _is_a_stretch(self) -> Self:
        if not timedelta() < self.end - self.start <= DAYS_LIMIT:
            raise ValueError(f"`to` must be after `from`, by at most {DAYS_LIMIT.days} days")
        if self.start.year not in _YEARS or self.end.year not in _YEARS:
            raise ValueError(f"days must be between {_YEARS.start} and {_YEARS.stop - 1}")
        return self


class Filtered(Answer):
    """Buyers who asked and were none to be received, by the first reason that holds."""

    ids: int
    own_staff: int
    leave_message: int
    bot_only: int


class WordingRates(Answer):
    """Messages that break a rule, each divided by what staff said and what was blocked."""

    blocked: Figure
    confirmed: Figure
    delivered: Figure


class InquiriesRow(WordingRates):
    """Those who asked one agent, or the shop on a day or in all; the others are null.

    Buyers are counted once a day: `consulted` are `received`, `unreceived` or filtered.
    `answers` is what staff said to a word of the received, `slow` buyers of a day to whom an agent
    was slow, `most_at_once` the most that one agent had at a moment.
    """

    agent_id: PersonId | None = None
    day: date | None = None
    consulted: int
    received: int
    unreceived: int
    filtered: Filtered
    reception: Figure
    answers: Figure
    slow: Figure
    most_at_once: int


class WordingKind(WordingRates):
    """The same of one category and severity; a message of two counts in both."""

    category: str
    severity: str


class Inquiries(Answer):
    """Who asked, was received, and how, through `as_of`.

    Days before `available_from` are not told whole; null: none is yet.
    """

    shop_id: ShopId
    profile: str
    effective_from: list[date]
    slow_ms: int
    slow_times: int
    time_zone: str
    start: Moment
    end: Moment
    as_of: Moment | None
    available_from: date | None
    by: InquiriesBy
    rows: list[InquiriesRow]
    wording: list[WordingKind]
