"""Notes on the chat topic, written and read; the contract is `contracts.gateway.NoteWritten`.

A test ties the bytes to the contract's. Knows nothing of who watches.
"""

from typing import Final

import msgspec
from msgspec import Struct

from contracts.gateway import NoteWritten
from kit.bus.ports import Message
from kit.text import BadText, refuse_unstorable_json
from services.gateway.frames import records
from services.gateway.frames.records import Entry, PoisonRecord

NOTE_TYPE: Final = NoteWritten.type.encode()


class NoteBody(Struct, gc=False):
    """The body of a note, in the contract's field order."""

    shop_id: str
    conversation_id: str
    author_id: str
    author_name: str
    client_id: str
    text: str
    to: str | None
    body_hash: str


class Addressed(Struct, gc=False):
    """What a sent note says: its words and whom they are meant for."""

    text: str
    to: str | None = None


class Written(Struct, frozen=True, gc=False):
    """Who sent a message or a note, under which id, and the hash of what he said."""

    by: str
    client_id: str
    body_hash: str


_encode: Final = msgspec.json.Encoder().encode
_note: Final = msgspec.json.Decoder(NoteBody)
_addressed: Final = msgspec.json.Decoder(Addressed)


def addressed(d: bytes) -> Addressed:
    """Read the body of a `send` that was found right."""
    return _addressed.decode(d)


def note(body: NoteBody, message_id: str, *, time: str) -> Message:
    """Return the note for the bus."""
    headers = records.envelope(NOTE_TYPE, message_id, time=time, shop=body.shop_id)
    return Message("chat", body.conversation_id.encode(), _encode(body), headers)


def is_note(entry: Entry) -> bool:
    """Tell a note by its type alone."""
    return entry.type == NOTE_TYPE


def noted(entry: Entry) -> NoteBody:
    """Decode a note. Raises `PoisonRecord` for whatever the archive would set aside."""
    try:
        refuse_unstorable_json(entry.value)
        found = _note.decode(entry.value)
    except BadText:
        raise PoisonRecord("text") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PoisonRecord("body") from None
    if found.conversation_id.encode() != entry.key or found.shop_id.encode() != entry.shop:
        raise PoisonRecord("key or shop")
    return found


def written(entry: Entry) -> Written:
    """Return whose a message or a note is. Raises `PoisonRecord` for anything else."""
    if is_note(entry):
        found = noted(entry)
        return Written(found.author_id, found.client_id, found.body_hash)
    said = records.spoken(entry)
    return Written(said.sender_id, said.client_id, said.body_hash)
