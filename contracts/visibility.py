"""What of a conversation a buyer may see: which events, and which of their fields. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BUYER_TYPES: Final = frozenset({
    "chat.message.v1", "conversation.opened.v1", "conversation.queued.v1",
    "conversation.assigned.v1", "conversation.transferred.v1", "conversation.stage_changed.v1",
    "conversation.closed.v1", "conversation.reopened.v1", "conversation.late_message.v1",
    "conversation.contacted.v1", "conversation.rated.v1",
})  # fmt: skip
"""Types of the chat topic that a buyer sees. What is not named here is staff's: a note, and what a
newer release wrote and this one keeps without knowing it."""

HIDDEN_FROM_BUYERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "conversation.queued.v1": frozenset({"previous_agent_id", "reason"}),
        "conversation.assigned.v1": frozenset({"previous_agent_id", "reason", "mode"}),
        "conversation.transferred.v1": frozenset(
            {"from_agent_id", "note", "by", "mode", "reason", "offer_id"}
        ),
        "conversation.closed.v1": frozenset({"by", "reason", "sweep"}),
    }
)
"""Fields of an event's `d` that a buyer never sees, in `ev`, `snap` and history alike."""
