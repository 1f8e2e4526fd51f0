"""What the archive reads of a record, tied to the contracts, and what it refuses."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from contracts.base import Event
from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationContacted,
    ConversationOpened,
    PersonListed,
)
from contracts.gateway import ChatMessage
from contracts.people import (
    ConversationId,
    MessageId,
    PersonId,
    Role,
    SenderKind,
    ShopId,
    SkillGroupId,
)
from kit.bus.ports import Record
from kit.errors import Dead
from kit.ids import SequenceIds
from services.conversation.archive.consumers import VERSION_LIMIT, MessageHead, Rows

pytestmark = pytest.mark.unit

IDS = SequenceIds()
TALK = ConversationId(IDS.new())
AT = datetime(2026, 11, 11, 0, 0, 1, 234000, tzinfo=UTC)


def said(**changed: Any) -> ChatMessage:
    fields: dict[str, Any] = {
        "id": IDS.new(),
        "time": AT,
        "shop_id": ShopId("shop"),
        "conversation_id": TALK,
        "sender_id": PersonId("b"),
        "sender_kind": SenderKind.BUYER,
        "client_id": "c",
        "kind": "text",
        "d": {"text": "在吗"},
        "body_hash": "h",
    }
    return ChatMessage(**fields | changed)


def record(event: Event, *, offset: int = 7, **changed: Any) -> Record:
    headers = dict(event.headers()) | changed.pop("headers", {})
    fields: dict[str, Any] = {
        "topic": "chat",
        "partition": 2,
        "offset": offset,
        "timestamp_ms": 0,
        "key": event.key.encode(),
        "value": event.body(),
        "headers": tuple((name, value) for name, value in headers.items() if value is not None),
    }
    return Record(**fields | changed)


def test_the_head_reads_what_the_contract_writes() -> None:
    required = {f.name for f in msgspec.structs.fields(MessageHead) if f.required}
    fields = ChatMessage.model_fields

    assert required <= set(fields)
    must = {name for name, field in fields.items() if field.is_required()} - {"id", "time"}
    assert required == must


def test_a_message_becomes_a_row_with_its_body_as_it_stood() -> None:
    event = said()
    rows = Rows()

    assert rows.add(record(event))

    batch = rows.batch
    assert (batch.ids, batch.conversations, batch.shops) == ([event.id], [TALK], ["shop"])
    assert (batch.partitions, batch.offsets, rows.ends) == ([2], [7], {2: 8})
    assert (batch.types, batch.senders, batch.hashes) == (["chat.message.v1"], ["buyer"], ["h"])
    assert batch.times == [AT]
    assert json.loads(batch.bodies[0])["d"] == {"text": "在吗"}


def test_a_lifecycle_event_is_archived_without_a_sender() -> None:
    event = ConversationAssigned(
        id=IDS.new(),
        time=AT,
        shop_id=ShopId("shop"),
        conversation_id=TALK,
        buyer_id=PersonId("b"),
        version=2,
        agent_id=PersonId("a"),
        skill_group_id=SkillGroupId("g"),
        reason="same_agent",
    )
    rows = Rows()

    assert rows.add(record(event))
    assert (rows.batch.senders, rows.batch.hashes) == ([None], [None])


def test_the_same_id_twice_is_left_to_the_next_batch() -> None:
    event = said()
    rows = Rows()

    assert rows.add(record(event))
    assert not rows.add(record(event, offset=8))
    assert rows.ends == {2: 8 - 0}


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert Rows().add(record(said(d={"text": "\\u0000"})))
    assert Rows().add(record(said(d={"text": "line\nline \x07"})))


@pytest.mark.parametrize(
    "bad",
    [
        {"value": b""},
        {"value": None},
        {"value": b"[]"},
        {"value": b"\xff\xfe"},
        {"value": said().body().replace("在".encode(), b"\xff")},
        {"value": said().body().replace("在".encode(), b"\\u0000")},
        {"value": said().body().replace("在".encode(), b"\\ud800")},
        {"value": said().body().replace(b'{"text"', b'["text"').replace(b'"},"body', b'"],"body')},
        {"value": said().body().replace(b'"buyer"', b'"boss"')},
        {"headers": {"ce_type": None}},
        {"headers": {"ce_type": b"\xff"}},
        {"headers": {"ce_id": None}},
        {"headers": {"ce_id": b"x"}},
        {"headers": {"ce_time": b"yesterday"}},
        {"headers": {"ce_time": b"2026-11-11T00:00:00"}},
        {"headers": {"ce_time": b"0001-01-01T00:00:00+14:00"}},
        {"headers": {"ce_time": b"9999-12-31T23:59:59.999999-12:00"}},
        {"value": said().body().replace(b'{"text"', b'{"x":' + b"[" * 100_000 + b'"text"')},
        {"headers": {"ce_shop": b"another"}},
        {"headers": {"ce_shop": None}},
        {"key": b"elsewhere"},
        {"key": None},
    ],
)
def test_poison_is_named_as_such(bad: dict[str, Any]) -> None:
    offending = record(said(), **bad)
    rows = Rows()

    with pytest.raises(Dead) as dead:
        rows.add(offending)

    assert dead.value.offending is offending
    assert "在" not in dead.value.reason
    assert not rows.batch.ids
    assert not rows.records


def told(**fields: Any) -> dict[str, Any]:
    common = {"id": IDS.new(), "time": AT, "shop_id": ShopId("shop"), "conversation_id": TALK}
    return common | {"buyer_id": PersonId("b")} | fields


def test_a_lifecycle_event_is_compared_by_its_version_and_an_opening_is_kept() -> None:
    opened = ConversationOpened(**told(version=1, skill_group_id=SkillGroupId("g")))
    closed = ConversationClosed(**told(version=2**40, agent_id=None, by=PersonId("b")))
    rows = Rows()

    for offset, event in enumerate((opened, said(), closed)):
        assert rows.add(record(event, offset=offset))

    assert rows.batch.versions == [1, None, VERSION_LIMIT]
    assert rows.batch.openings == {TALK: opened}
    assert rows.batch.senders == [None, "buyer", None]


def test_what_a_buyer_wrote_elsewhere_is_his_word_here() -> None:
    event = ConversationContacted(
        **told(version=3, message_id=MessageId("m"), written_in=ConversationId("c"), received_at=AT)
    )
    rows = Rows()

    assert rows.add(record(event))

    assert rows.batch.senders == ["buyer"]


def test_an_event_of_another_topic_is_refused() -> None:
    listed = PersonListed(
        id=IDS.new(),
        time=AT,
        shop_id=ShopId("shop"),
        subject=PersonId("p"),
        name="n",
        role=Role.AGENT,
        active=True,
        not_before=AT,
        version=1,
    )

    with pytest.raises(Dead, match="does not belong"):
        Rows().add(record(listed))


def test_all_poison_of_a_batch_is_told_at_once() -> None:
    batch = [
        record(said(), offset=number, **({"value": b"{"} if number % 5 == 4 else {}))
        for number in range(200)
    ]

    with pytest.raises(Dead) as dead:
        Rows.of(batch)

    assert [one.offending for one in dead.value.each] == batch[4::5]


def test_an_id_that_stands_twice_in_a_batch_begins_rows_of_its_own() -> None:
    twice = said()

    parts = Rows.of([record(twice, offset=1), record(said(), offset=2), record(twice, offset=3)])

    assert [part.batch.offsets for part in parts] == [[1, 2], [3]]
