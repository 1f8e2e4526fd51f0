"""The words of waiting. Pure values."""

from typing import NamedTuple

from contracts.people import ConversationId, ShopId
from services.monitor.profiles.domain import ProfileName


class Firing(NamedTuple):
    """A threshold that fell due for one profile; the wait is named by the record that began it."""

    partition: int
    waiting_offset: int
    profile: ProfileName
    threshold_s: int
    shop_id: ShopId
    conversation_id: ConversationId
    due_ms: int
    late_ms: int
