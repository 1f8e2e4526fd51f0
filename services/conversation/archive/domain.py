"""The chat log as the archive takes it: places in it, and batches of its records as columns.

Pure; knows neither who reads the log nor where its records are kept.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts.base import Headers
from contracts.conversation import ConversationOpened
from contracts.people import ConversationId, MessageId, SenderKind

_PICTURE: Final = re.compile(
    r"/v1/images/[0-9a-f-]{36}/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})", re.IGNORECASE
).findall

Place = tuple[int, int]
"""`(generation, offset)`, compared in that order (H4)."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A stored record whose arrival may change a conversation; `said_at` is its receive time.

    `is_said`: it is the buyer's word. Else the log is ahead of the conversation's row (H51).
    """

    message_id: MessageId
    conversation_id: ConversationId
    place: Place
    said_at: datetime
    is_said: bool = True


@dataclass(frozen=True, slots=True)
class Head:
    """The last words of a conversation, on one line. An image or a card has none that are shown."""

    place: Place
    by: SenderKind
    kind: str
    preview: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A lifecycle record as it is archived, for `contracts` to decode."""

    value: bytes
    headers: Headers


@dataclass(slots=True)
class Batch:
    """A batch as columns, one entry per record, in log order per partition.

    `versions` are those of lifecycle records. `openings` is no column: what the batch opens, by id;
    `pictures` is none either: whose addresses it holds.
    """

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
    versions: list[int | None]
    openings: dict[str, ConversationOpened]
    pictures: list[str] = field(default_factory=list)

    @classmethod
    def empty(cls) -> "Batch":
        """Return a batch without rows."""
        return cls([], [], [], [], [], [], [], [], [], [], [], {})


def pictures_in(body: str) -> list[str]:
    """Return the pictures whose addresses stand in a body, by their ids.

    A body is JSON as its sender wrote it: some escape their slashes.
    """
    return _PICTURE(body.replace("\\/", "/")) if "/images" in body else []
