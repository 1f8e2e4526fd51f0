"""Names of streams: the `s` of a frame, parsed once into what it names.

Knows how names are written, not who may use them.
"""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from typing_extensions import override

from contracts.people import ConversationId, ShopId
from services.gateway.frames.refusals import BadStream

_NAME: Final = re.compile(r"(conv|monitor|board|current):([A-Za-z0-9_-]{1,64})", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id as it is told, stored and hashed to its partition."""


@dataclass(frozen=True, slots=True)
class InboxName:
    """The inbox of whoever asks."""

    @override
    def __str__(self) -> str:
        return "inbox"


@dataclass(frozen=True, slots=True)
class ConversationName:
    """A conversation."""

    conversation_id: ConversationId

    @override
    def __str__(self) -> str:
        return f"conv:{self.conversation_id}"

    @property
    def key(self) -> bytes:
        """The key of the conversation's records."""
        return self.conversation_id.encode()


@dataclass(frozen=True, slots=True)
class BoardName:
    """A shop's board, whole each time, and alerts."""

    shop_id: ShopId

    @override
    def __str__(self) -> str:
        return f"monitor:{self.shop_id}"


@dataclass(frozen=True, slots=True)
class TilesName:
    """A shop's board by totals and tiles, and alerts."""

    shop_id: ShopId

    @override
    def __str__(self) -> str:
        return f"board:{self.shop_id}"


@dataclass(frozen=True, slots=True)
class CurrentName:
    """How far a shop's board is current."""

    shop_id: ShopId

    @override
    def __str__(self) -> str:
        return f"current:{self.shop_id}"


StreamName = InboxName | ConversationName | BoardName | TilesName | CurrentName


def stream_of(text: str) -> StreamName:
    """Parse `s`. Raises `BadStream`.

    An id has one spelling: under another it would be a stream, a key and a partition of its own.
    """
    if text == "inbox":
        return InboxName()
    found = _NAME.fullmatch(text)
    if found is None:
        raise BadStream("Streams are inbox, conv:<id>, board:, monitor: and current:<shop>.")
    kind, key = found.groups()
    if _UUID.fullmatch(key) is None and _is_uuid(key):
        raise BadStream("Ids are written as they are told: in lower case and with hyphens.")
    match kind:
        case "conv":
            return ConversationName(ConversationId(key))
        case "monitor":
            return BoardName(ShopId(key))
        case "board":
            return TilesName(ShopId(key))
        case _:
            return CurrentName(ShopId(key))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
