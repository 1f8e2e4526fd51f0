"""The words of flags: the evidence, and the rules that a message was checked by. Pure values."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from contracts.people import ConversationId, ShopId


@dataclass(frozen=True, slots=True)
class FlaggedMessage:
    """A flagged message; `hits` is JSON."""

    message_id: str
    partition: int
    offset: int
    shop_id: ShopId
    conversation_id: ConversationId
    sender_id: str
    speaker: str
    at_ms: int
    categories: tuple[str, ...]
    hits: str
    lexicon_version: str
    policy_version: str


class Wording(NamedTuple):
    """Which rules a message was checked by."""

    lexicon_version: str
    policy_version: str


class Span(NamedTuple):
    """From this offset on a shop's messages are checked by these rules."""

    shop_id: ShopId
    first_offset: int
    wording: Wording


class FlagDay(NamedTuple):
    """Whose flags of a day."""

    shop_id: ShopId
    day: date
    speaker: str


def utc_day(at_ms: int) -> date:
    """Return by which day's age a flag is compared: no later than its shop's own."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()
