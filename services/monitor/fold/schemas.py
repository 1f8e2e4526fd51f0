"""Chat records, decoded as cheaply as the fold needs them.

Knows the shape of one record; must not know what it changes. A test ties `Body` to
`contracts.gateway.ChatMessage`.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from contracts import UnknownEvent, UnreadableEvent
from contracts.conversation import Lifecycle, read_lifecycle
from contracts.gateway import WORDING, ChatMessage, NoteWritten, words_of
from contracts.people import ConversationId, MessageId, PersonId, SenderKind, ShopId
from kit.bus.ports import Record
from kit.text import BadText, refuse_unstorable_json

MESSAGE: Final = ChatMessage.type.encode()
NOTE: Final = NoteWritten.type.encode()
GATEWAY: Final = ChatMessage.source.encode()

VERSION_LIMIT: Final = 2**53
"""No conversation changes so often; a higher version is forged and would block all later ones."""

_EARLIEST_MS: Final = 946_684_800_000
_LATEST_MS: Final = 4_102_444_800_000
"""2000 to 2100: calendars end somewhere, and a time outside is no receive time."""


class Unreadable(ValueError):
    """The record cannot be folded. The text names what is wrong, never content."""


class Body(msgspec.Struct, frozen=True, gc=False):
    """The body of a chat message: what the fold reads of `ChatMessage`."""

    conversation_id: ConversationId
    shop_id: ShopId
    sender_id: PersonId
    sender_kind: SenderKind
    kind: str
    d: msgspec.Raw
    assignment_version: Annotated[int, msgspec.Meta(ge=0, le=VERSION_LIMIT)] | None = None


class _Text(msgspec.Struct, frozen=True, gc=False):
    text: str = ""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A message with its envelope. `at_ms` is the gateway's receive time.

    `cleared`: by which rules its gate found nothing in the words, if it says so.
    """

    id: MessageId
    at_ms: int
    body: Body
    cleared: bytes | None = None

    def words(self) -> str:
        """Return what the message says, as the wording gate reads it; an odd body says nothing."""
        try:
            if self.body.kind == "text":
                return _TEXT.decode(self.body.d).text
            return "\n".join(words_of(self.body.kind, msgspec.json.decode(self.body.d)))
        except (msgspec.MsgspecError, RecursionError):
            return ""


_BODY: Final = msgspec.json.Decoder(Body)
_TEXT: Final = msgspec.json.Decoder(_Text)


def read(record: Record) -> Heard | Lifecycle | None:
    """Decode a record of the topic `chat`; None for a note, and for a type of a newer release.

    A note is no contact: nothing is counted by it, and log time does not go on by it, so that a
    release which does not know notes folds the same.
    Raises `Unreadable`.
    """
    headers = dict(record.headers)
    try:
        refuse_unstorable_json(record.value or b"")
    except BadText as bad:
        raise Unreadable(bad.title) from None
    named = headers.get("ce_type")
    if named == MESSAGE:
        return _heard(record, headers)
    if named == NOTE:
        return None
    if named is None:
        raise Unreadable("header ce_type is missing")
    try:
        event = read_lifecycle(record)
    except UnknownEvent:
        return None
    except UnreadableEvent as error:
        raise Unreadable(str(error)) from None
    _check_key(record, event.conversation_id)
    if not 0 < event.version <= VERSION_LIMIT:
        raise Unreadable("the version is not one that a conversation can have")
    _ms(event.time)
    return event


def message_id(record: Record) -> str | None:
    """Return the id of a chat message without decoding it; None for any other record."""
    if record.header("ce_type") != MESSAGE:
        return None
    return (record.header("ce_id") or b"").decode(errors="replace") or None


def _heard(record: Record, headers: dict[str, bytes]) -> Heard:
    try:
        body = _BODY.decode(record.value or b"")
        heard = Heard(
            MessageId(headers["ce_id"].decode()),
            _read_ms(headers["ce_time"].decode()),
            body,
            headers.get(WORDING) if headers.get("ce_source") == GATEWAY else None,
        )
    except KeyError as missing:
        raise Unreadable(f"header {missing} is missing") from None
    except RecursionError:
        raise Unreadable("the body is nested too deep") from None
    except msgspec.MsgspecError as error:
        raise Unreadable(_place(error)) from None
    except Unreadable:
        raise
    except ValueError:  # UnicodeDecodeError is one, too
        raise Unreadable("header ce_id or ce_time is not readable") from None
    if "\x00" in heard.id:
        raise Unreadable("header ce_id holds a NUL character")
    if headers.get("ce_shop", b"") != body.shop_id.encode():
        raise Unreadable("header ce_shop and body disagree")
    _check_key(record, body.conversation_id)
    return heard


def _check_key(record: Record, conversation_id: str) -> None:
    """Refuse a record that may stand in another partition than its conversation.

    Two partitions of one batch would hold the conversation's state, and neither could be stored.
    """
    if record.key != conversation_id.encode():
        raise Unreadable("key and body disagree")


def _place(error: msgspec.MsgspecError) -> str:
    """Return where a body fails; msgspec's own text could quote a value."""
    _, found, place = str(error).rpartition(" - at ")
    return f"body does not fit at {place}" if found else "body is not JSON of a chat message"


def _read_ms(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return _ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _ms(moment: datetime) -> int:
    found = round(moment.timestamp() * 1000)
    if not _EARLIEST_MS <= found < _LATEST_MS:
        raise Unreadable("the time is outside of 2000 to 2100")
    return found
