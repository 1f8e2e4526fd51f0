"""The words of traffic. Pure values."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from contracts.people import ShopId


class TrafficKey(NamedTuple):
    """What one row of traffic is about."""

    shop_id: ShopId
    day: date


@dataclass(slots=True)
class Traffic:
    """Messages of one shop and day; `as_of_ms` is the newest event's time."""

    buyer_messages: int = 0
    agent_messages: int = 0
    other_messages: int = 0
    as_of_ms: int = 0
