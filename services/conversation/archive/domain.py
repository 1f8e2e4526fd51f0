"""The chat log as the archive takes it: places in it, and batches of its records as columns.

Pure; knows neither who reads the log nor where its records are kept.
"""

from dataclasses import dataclass
from datetime import datetime

from contracts.people import ConversationId, MessageId

Place = tuple[int, int]
"""`(generation, offset)`, compared in that order (H4)."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A stored message whose arrival may change a conversation; `said_at` is its receive time."""

    message_id: MessageId
    conversation_id: ConversationId
    place: Place
    said_at: datetime


@dataclass(slots=True)
class Batch:
    """A batch as columns, one entry per record, in log order per partition."""

    ids: list[str]
    conversations: list[str]
    shops: list[str]
    partitions: list[int]
    offsets: list[int]
    types: list[str]
    times: list[datetime]
    senders: list[str | None]
    hashes: list[str | None]
    bodies: list[str]

    @classmethod
    def empty(cls) -> "Batch":
        """Return a batch without rows."""
        return cls([], [], [], [], [], [], [], [], [], [])
