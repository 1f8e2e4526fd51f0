"""Records of the chat topic, written and read fast; the contract is `contracts.gateway`.

A test ties the bytes to the contract's. Knows nothing of who watches.
"""

import re
from hashlib import blake2b
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from contracts.conversation import Lifecycle
from contracts.gateway import WORDING, ChatMessage
from contracts.visibility import HIDDEN_FROM_BUYERS
from kit.bus.ports import Headers, Message, Record
from kit.telemetry import Trace
from kit.text import BadText, refuse_unstorable_json

CHAT_TYPE: Final = ChatMessage.type.encode()
LIFECYCLE_PREFIX: Final = Lifecycle.TYPE_PREFIX

_SAFE: Final = re.compile(rb"[0-9A-Za-z:._+-]{1,64}")
"""Header values that may stand inside a JSON string as they are; all of ours do."""


class PoisonRecord(ValueError):
    """The record cannot be shown: a gateway skips and counts it (H24)."""


class ChatBody(Struct, gc=False):
    """The body of a chat message, in the contract's field order."""

    shop_id: str
    conversation_id: str
    sender_id: str
    sender_kind: Literal["buyer", "agent", "assist_bot", "auto", "system"]
    client_id: str
    kind: Literal["text", "image", "card"]
    d: Raw
    body_hash: str
    assignment_version: int | None = None
    confirmed: bool = False


class Spoken(Struct, gc=False):
    """What fan-out needs to know of a chat message."""

    shop_id: str
    conversation_id: str
    sender_id: str
    sender_kind: Literal["buyer", "agent", "assist_bot", "auto", "system"]
    client_id: str
    body_hash: str
    assignment_version: int | None = None


class Entry(Struct, gc=False):
    """A record of the chat topic as the ring keeps it: undecoded, without what nobody reads."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    id: bytes
    type: bytes
    time: bytes
    shop: bytes
    value: bytes

    @property
    def headers(self) -> Headers:
        """The envelope, for decoding by the contract."""
        return (
            ("ce_id", self.id),
            ("ce_type", self.type),
            ("ce_time", self.time),
            ("ce_shop", self.shop),
        )

    @property
    def is_lifecycle(self) -> bool:
        """Tell a lifecycle event from a message by its type alone (H9)."""
        return self.type.startswith(LIFECYCLE_PREFIX)


_encode: Final = msgspec.json.Encoder().encode
_spoken: Final = msgspec.json.Decoder(Spoken)


def body_hash(kind: str, d: bytes) -> str:
    """Return the hash that tells two bodies with one id apart (H3)."""
    return blake2b(kind.encode() + b"\n" + d, digest_size=16).hexdigest()


def trace_of(message_id: str) -> Trace:
    """Return the trace of a message: its id without dashes, before and after it is in the log."""
    trace = message_id.replace("-", "")
    return Trace(trace, trace[16:])


def message(body: ChatBody, message_id: str, *, time: str, wording: bytes | None = None) -> Message:
    """Return the message for the bus. The trace id is the message id without its dashes.

    `wording`: by which rules the gate found nothing in the words, as `contracts.gateway.cleared`
    writes it.
    """
    headers = envelope(CHAT_TYPE, message_id, time=time, shop=body.shop_id)
    if wording is not None:
        headers = (*headers, (WORDING, wording))
    return Message("chat", body.conversation_id.encode(), _encode(body), headers)


def envelope(kind: bytes, message_id: str, *, time: str, shop: str) -> Headers:
    """Return the headers of what somebody wrote."""
    identity = message_id.encode()
    trace = identity.replace(b"-", b"")
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", identity),
        ("ce_type", kind),
        ("ce_source", b"gateway"),
        ("ce_time", time.encode()),
        ("ce_shop", shop.encode()),
        ("content-type", b"application/json"),
        ("traceparent", b"00-%b-%b-00" % (trace, trace[16:])),
    )


def entry_of(record: Record) -> Entry | None:
    """Return what the ring keeps of a record, None if it is no event of ours."""
    if record.key is None or record.value is None:
        return None
    known = dict(record.headers)
    try:
        return Entry(
            record.partition,
            record.offset,
            record.timestamp_ms,
            record.key,
            known["ce_id"],
            known["ce_type"],
            known["ce_time"],
            known["ce_shop"],
            record.value,
        )
    except KeyError:
        return None


def spoken(entry: Entry) -> Spoken:
    """Decode a chat message. Raises `PoisonRecord` for whatever the archive would set aside."""
    if entry.type != CHAT_TYPE:
        raise PoisonRecord("type")
    try:
        refuse_unstorable_json(entry.value)
        found = _spoken.decode(entry.value)
    except BadText:
        raise PoisonRecord("text") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PoisonRecord("body") from None
    if found.conversation_id.encode() != entry.key or found.shop_id.encode() != entry.shop:
        raise PoisonRecord("key or shop")
    return found


def body(entry: Entry, *, extra: bytes = b"") -> bytes:
    """Return the part of `ev` that is the same for every stream. Raises `PoisonRecord`.

    The body of the record is spliced in as it is, so it must be valid JSON (`spoken` has decoded
    it) and UTF-8 throughout, which skipping over unread fields does not check.
    """
    for text in (entry.id, entry.type, entry.time):
        if _SAFE.fullmatch(text) is None:
            raise PoisonRecord("headers")
    if not entry.value.isascii():
        try:
            entry.value.decode()
        except UnicodeDecodeError:
            raise PoisonRecord("not UTF-8") from None
    return b'%b"id":"%b","type":"%b","time":"%b","d":%b' % (
        extra,
        entry.id,
        entry.type,
        entry.time,
        entry.value,
    )


def shown_to_buyer(entry: Entry) -> Entry:
    """Return the entry without what staff alone may see. Raises `PoisonRecord`."""
    hidden = HIDDEN_FROM_BUYERS.get(entry.type.decode(errors="replace"))
    if not hidden:
        return entry
    try:
        fields = msgspec.json.decode(entry.value, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PoisonRecord("body") from None
    kept = {name: value for name, value in fields.items() if name not in hidden}
    return msgspec.structs.replace(entry, value=_encode(kept))
