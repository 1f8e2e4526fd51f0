"""The words of waiting. Pure values."""

from typing import NamedTuple

from contracts.people import ConversationId, PersonId, ShopId
from kit.ids import derived_id
from services.monitor.profiles.domain import ProfileName


class Firing(NamedTuple):
    """A threshold that a wait passed: partition, `waiting_offset` and `threshold_s` name it.

    `waiting_offset` is the record since which the buyer waits for a person, whatever other
    readings say: one waiting buyer is told of once (H21). `profiles` are those that count him as
    waiting and have this threshold, the strictest first.
    """

    partition: int
    waiting_offset: int
    threshold_s: int
    profiles: tuple[ProfileName, ...]
    shop_id: ShopId
    conversation_id: ConversationId
    due_ms: int
    late_ms: int
    agent_id: PersonId | None
    """Who has the buyer at that moment."""

    @property
    def alert_id(self) -> str:
        """Return the id of the event that tells of it, the same whoever raises it."""
        parts = self.conversation_id, str(self.waiting_offset), str(self.threshold_s)
        return derived_id("waiting_threshold", *parts)
