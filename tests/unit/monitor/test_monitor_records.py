"""Chat records as the fold reads them, and what it refuses."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from contracts.conversation import ConversationAssigned, LaterLifecycle, Lifecycle
from contracts.gateway import ChatMessage
from contracts.people import (
    ConversationId,
    MessageId,
    PersonId,
    SenderKind,
    ShopId,
    SkillGroupId,
)
from kit.bus.ports import Record
from services.monitor.fold.schemas import Body, Heard, Unreadable, message_id, read

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, 0, 0, 0, 123_000, tzinfo=UTC)


def said(**changes: Any) -> ChatMessage:
    facts: dict[str, Any] = {
        "id": "m1",
        "time": AT,
        "shop_id": ShopId("shop"),
        "conversation_id": ConversationId("c1"),
        "sender_id": PersonId("anne"),
        "sender_kind": SenderKind.AGENT,
        "client_id": "k1",
        "kind": "text",
        "d": {"text": "亲，在的"},
        "body_hash": "00",
        "assignment_version": 3,
    }
    return ChatMessage(**(facts | changes))


def record(
    event: ChatMessage | ConversationAssigned,
    *,
    value: bytes | None = None,
    headers: tuple[tuple[str, bytes], ...] | None = None,
) -> Record:
    found = event.headers() if headers is None else headers
    return Record("chat", 0, 7, 0, event.key.encode(), value or event.body(), found)


def assigned(version: int) -> ConversationAssigned:
    return ConversationAssigned(
        id="e1",
        time=AT,
        shop_id=ShopId("shop"),
        conversation_id=ConversationId("c1"),
        buyer_id=PersonId("b"),
        version=version,
        agent_id=PersonId("anne"),
        skill_group_id=SkillGroupId("g"),
        reason="least_loaded",
    )


def test_the_fold_reads_what_the_contract_writes() -> None:
    event = said()

    heard = read(record(event))

    assert isinstance(heard, Heard)
    assert heard.id == MessageId(event.id)
    assert heard.at_ms == round(AT.timestamp() * 1000)
    assert heard.words() == "亲，在的"
    for name in set(Body.__struct_fields__) - {"d"}:
        assert getattr(heard.body, name) == getattr(event, name)


def test_every_field_the_fold_reads_is_a_field_of_the_contract() -> None:
    assert set(Body.__struct_fields__) <= set(ChatMessage.model_fields)
    required = {f.name for f in msgspec.structs.fields(Body) if f.required}
    assert required <= {n for n, f in ChatMessage.model_fields.items() if f.is_required()}


def test_a_lifecycle_event_is_read_as_its_contract() -> None:
    found = read(record(assigned(4)))

    assert isinstance(found, Lifecycle)
    assert found == assigned(4)


def test_what_a_newer_release_wrote_is_read_as_far_as_this_one_can() -> None:
    event = assigned(4)

    def named(kind: bytes) -> Record:
        return record(event, headers=tuple((dict(event.headers()) | {"ce_type": kind}).items()))

    later = read(named(b"conversation.blessed.v1"))

    assert isinstance(later, LaterLifecycle)
    assert (later.version, later.conversation_id) == (4, "c1")
    assert read(named(b"chat.reaction.v1")) is None


@pytest.mark.parametrize("body", [b"{}", b'{"text": "x"}'])
def test_a_note_is_nothing_to_the_fold(body: bytes) -> None:
    headers = tuple(
        (name, b"chat.note.v1" if name == "ce_type" else value) for name, value in said().headers()
    )

    assert read(record(said(), value=body, headers=headers)) is None


@pytest.mark.parametrize("event", [said(), assigned(4)], ids=["message", "lifecycle"])
def test_a_record_that_may_stand_in_a_foreign_partition_is_unreadable(
    event: ChatMessage | ConversationAssigned,
) -> None:
    strayed = msgspec.structs.replace(record(event), key=b"another")

    with pytest.raises(Unreadable, match="key"):
        read(strayed)


@pytest.mark.parametrize(
    ("kind", "d", "words"),
    [
        ("text", {"text": ["no", "text"]}, ""),
        ("image", {"url": "/v1/files/1", "text": "x"}, ""),
        ("image", {"url": "/v1/files/1", "alt": "图"}, "图"),
        ("card", {"rows": [1, {"note": "鞋"}]}, "rows\nnote\n鞋"),
    ],
)
def test_a_message_says_what_the_gate_judged(kind: str, d: dict[str, Any], words: str) -> None:
    heard = read(record(said(kind=kind, d=d)))

    assert isinstance(heard, Heard)
    assert heard.words() == words


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"conversation_id": 1}',
        said(assignment_version=2**60).body(),
        said(d={"text": "a\x00b"}).body(),
        said(shop_id=ShopId("another")).body(),
    ],
)
def test_a_body_that_does_not_fit_is_refused(value: bytes) -> None:
    bad = record(said(), value=value or b" ")

    with pytest.raises(Unreadable):
        read(bad)


@pytest.mark.parametrize("missing", ["ce_id", "ce_time", "ce_type", "ce_shop"])
def test_a_record_without_its_envelope_is_refused(missing: str) -> None:
    headers = tuple(header for header in said().headers() if header[0] != missing)

    with pytest.raises(Unreadable):
        read(record(said(), headers=headers))


def test_the_refusal_never_quotes_the_record() -> None:
    value = said(d={"text": "13812348000"}).body().replace(b'"agent"', b'"13812348000"')

    with pytest.raises(Unreadable) as refused:
        read(record(said(), value=value))

    assert "138" not in str(refused.value)


def test_a_version_that_would_block_all_later_ones_is_refused() -> None:
    with pytest.raises(Unreadable):
        read(record(assigned(2**60)))


def test_ids_are_read_again_without_decoding() -> None:
    assert message_id(record(said())) == "m1"
    assert message_id(record(assigned(2))) is None
