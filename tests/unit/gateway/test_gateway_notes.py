"""Notes as records: the gateway's fast types write and read what the contract says."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import pytest

import contracts
from contracts.base import ENVELOPE
from contracts.conversation import HandoffEnded, HandoffOffered, Lifecycle
from contracts.gateway import ChatMessage, NoteWritten
from contracts.people import ConversationId, PersonId, ShopId
from contracts.topics import CHAT
from contracts.visibility import BUYER_TYPES
from kit.bus.ports import Record
from services.conversation.archive.consumers import NoteHead
from services.gateway.frames import notes, records
from services.gateway.frames.notes import NoteBody
from services.gateway.frames.records import Entry, PoisonRecord

pytestmark = pytest.mark.unit

TALK = "019a4d2e-6b14-7000-8000-000000000014"


def written(**change: Any) -> NoteWritten:
    """Return a note as the contract has it."""
    fields: dict[str, Any] = {
        "id": "019a4d2e-6b63-7000-8000-000000000063",
        "time": datetime(2026, 11, 11, 0, 0, 1, 234_000, tzinfo=UTC),
        "shop_id": ShopId("demo"),
        "conversation_id": ConversationId(TALK),
        "author_id": PersonId("leader"),
        "author_name": "主管",
        "client_id": "aaaaaaaa",
        "text": "先安抚",
        "to": PersonId("anne"),
        "body_hash": "00",
    }
    return NoteWritten(**(fields | change))


def entry(event: NoteWritten, **change: Any) -> Entry:
    """Return a note as the ring keeps it."""
    record = Record("chat", 0, 7, 0, event.key.encode(), event.body(), event.headers())
    found = records.entry_of(record)
    assert found is not None
    return msgspec.structs.replace(found, **change)


@pytest.mark.parametrize("to", [None, "anne"])
def test_a_note_is_written_byte_for_byte_as_its_contract_writes_it(
    to: Literal["anne"] | None,
) -> None:
    event = written(to=to)
    body = NoteBody("demo", TALK, "leader", "主管", "aaaaaaaa", "先安抚", to, "00")
    message = notes.note(body, event.id, time="2026-11-11T00:00:01.234Z")

    assert (message.topic, message.key, message.value) == ("chat", event.key.encode(), event.body())
    assert message.headers[:-1] == event.headers()
    noted = notes.noted(entry(event))
    assert msgspec.structs.asdict(noted) == msgspec.json.decode(event.body())


def test_the_fast_types_have_the_fields_of_the_contract() -> None:
    fields = [name for name in NoteWritten.model_fields if name not in ENVELOPE]

    assert [field.name for field in msgspec.structs.fields(NoteBody)] == fields
    assert {field.name for field in msgspec.structs.fields(NoteHead)} == set(fields)


@pytest.mark.parametrize(
    "change",
    [
        {"value": b"{"},
        {"value": b'{"text": "\\u0000"}'},
        {"key": b"another"},
        {"shop": b"another"},
        {"type": b"chat.later.v1"},
    ],
)
def test_what_the_archive_would_set_aside_is_no_note(change: dict[str, bytes]) -> None:
    with pytest.raises(PoisonRecord):
        notes.written(entry(written(), **change))


def test_a_buyer_sees_messages_and_what_happens_to_his_conversation_and_nothing_else() -> None:
    on_the_topic = {kind.type for kind in contracts.event_types().values() if kind.topic is CHAT}
    happens = {name for name in on_the_topic if name.startswith(Lifecycle.TYPE_PREFIX.decode())}

    offers = {HandoffOffered.type, HandoffEnded.type}  # between two of staff
    assert (happens - offers) | {ChatMessage.type} == BUYER_TYPES
    assert on_the_topic - BUYER_TYPES == offers | {NoteWritten.type}
