"""Frames and records: the fast types say what the contracts say, and refuse what these refuse."""

from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import contracts
from contracts import frames as contract
from contracts.base import ENVELOPE
from contracts.conversation import ConversationTransferred
from contracts.gateway import WORDING, ChatMessage, words_of
from contracts.people import ConversationId, PersonId, SenderKind, ShopId, SkillGroupId
from kit.bus.memory import MemoryBus
from kit.bus.ports import Record, message_of
from kit.clock import ManualClock
from kit.errors import AppError
from kit.metrics import Metrics
from services.gateway.channels import ChatChannel
from services.gateway.frames import client, records, server
from services.gateway.frames.client import Unreadable
from services.gateway.frames.names import stream_of
from services.gateway.frames.records import ChatBody, PoisonRecord, Spoken
from services.gateway.frames.refusals import BadStream
from services.gateway.history import Ring
from services.gateway.hub import Conversation, Hub
from services.gateway.streams.kinds.conversation import ConversationStream
from tests.unit.gateway.nobody import NoLanes, nowhere

pytestmark = pytest.mark.unit

METRICS = Metrics()
AT = datetime(2026, 11, 11, 0, 0, 1, 234_000, UTC)

json_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def chat_message(d: dict[str, Any], **change: Any) -> ChatMessage:
    """Return a message as the contract knows it."""
    fields: dict[str, Any] = {
        "id": "01890000-0000-8000-8000-000000000001",
        "time": AT,
        "shop_id": ShopId("shop-a"),
        "conversation_id": ConversationId("c1"),
        "sender_id": PersonId("p1"),
        "sender_kind": SenderKind.BUYER,
        "client_id": "aaaaaaaa-1",
        "kind": "text",
        "d": d,
        "body_hash": "h",
        "assignment_version": None,
    }
    return ChatMessage(**(fields | change))


def record(message: Any, *, partition: int = 0, offset: int = 7) -> Record:
    """Return the record that a message becomes."""
    return Record(
        message.topic, partition, offset, 1000, message.key, message.value, message.headers
    )


# ---- the chat message


@given(json_texts.filter(bool))
def test_a_message_is_written_byte_for_byte_as_its_contract_writes_it(text: str) -> None:
    event = chat_message({"text": text}, assignment_version=3, sender_kind=SenderKind.AGENT)
    body = ChatBody(
        event.shop_id,
        event.conversation_id,
        event.sender_id,
        "agent",
        event.client_id,
        "text",
        msgspec.Raw(msgspec.json.encode({"text": text})),
        event.body_hash,
        3,
    )
    message = records.message(body, event.id, time="2026-11-11T00:00:01.234Z")

    assert msgspec.json.decode(message.value or b"") == msgspec.json.decode(event.body())
    if all(character >= " " and character != "\x7f" for character in text):
        assert message.value == event.body()
    assert message.headers[:-1] == event.headers()
    assert (message.topic, message.key) == (event.topic_name, event.key.encode())
    assert contracts.decode(record(message)) == event
    told = records.message(body, event.id, time="2026-11-11T00:00:01.234Z", wording=b"w")
    assert (told.value, told.headers) == (message.value, (*message.headers, (WORDING, b"w")))
    assert contracts.decode(record(told)) == event


def test_the_fast_types_have_the_fields_of_the_contracts_in_their_order() -> None:
    fields = [name for name in ChatMessage.model_fields if name not in ENVELOPE]
    assert [field.name for field in msgspec.structs.fields(ChatBody)] == fields
    assert {f.name for f in msgspec.structs.fields(Spoken)} <= set(fields)
    fast = {kind.__struct_config__.tag: kind for kind in get_args(client.ClientFrame)}
    slow = {
        kind.model_fields["t"].default: kind for kind in get_args(get_args(contract.ClientFrame)[0])
    }
    assert fast.keys() == slow.keys()
    for tag, kind in fast.items():
        names = {field.name for field in msgspec.structs.fields(kind)} | {"t"}
        assert names == set(slow[tag].model_fields), tag


@pytest.mark.parametrize(
    "frame",
    [
        {"t": "hello", "v": 1, "token": "x", "client": {"name": "n", "version": "1"}},
        {"t": "hello", "v": 1, "resume": [{"s": "inbox", "position": [1, 2]}]},
        {"t": "sub", "id": "1", "s": "conv:abc", "position": [1, 5]},
        {"t": "unsub", "id": "1", "s": "inbox"},
        {"t": "send", "id": "aaaaaaaa", "s": "conv:abc", "kind": "text", "d": {"text": "x"}},
        {"t": "send", "id": "aaaaaaaa", "s": "conv:abc", "kind": "card", "d": {}, "again": True},
        {"t": "read", "s": "conv:abc", "position": [1, 5]},
        {"t": "read", "s": "conv:abc", "position": [1, 10**18]},
        {"t": "read", "s": "conv:abc", "position": [32_768, 1]},
        {"t": "read", "s": "conv:abc", "position": [1, -1]},
        {"t": "typing", "s": "conv:abc"},
        {"t": "ping", "ts": 5},
        {"t": "token", "token": "x"},
        {"t": "hello"},
        {"t": "hello", "v": "1"},
        {"t": "sub", "s": "inbox"},
        {"t": "send", "id": "short", "s": "conv:abc", "kind": "text", "d": {"text": "x"}},
        {"t": "send", "id": "aaaaaaaa", "s": "conv:abc", "kind": "video", "d": {}},
        {"t": "send", "id": "aaaaaaaa\n", "s": "conv:abc", "kind": "text", "d": {}},
        {"t": "ping", "more": 1},
        {"t": "class"},
        {},
    ],
)
def test_fast_and_documented_frames_are_read_alike(frame: dict[str, Any]) -> None:
    payload = msgspec.json.encode(frame)
    try:
        contract.CLIENT_FRAME.validate_json(payload)
    except ValidationError:
        with pytest.raises(Unreadable):
            client.read(payload)
    else:
        client.read(payload)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_payload_breaks_the_reader(payload: bytes) -> None:
    try:
        client.read(payload)
    except (Unreadable, client.NotUtf8):
        return


# ---- bodies


def send(kind: str, d: object) -> client.Send:
    """Return a send frame of that kind."""
    found = client.read(
        msgspec.json.encode({"t": "send", "id": "aaaaaaaa", "s": "conv:c", "kind": kind, "d": d})
    )
    assert isinstance(found, client.Send)
    return found


@pytest.mark.parametrize(
    ("kind", "d", "words"),
    [
        ("text", {"text": "你好"}, "你好"),
        ("image", {"url": "https://a.example/x.png", "alt": "图"}, "图"),
        ("image", {"url": "/v1/files/1"}, ""),
        ("card", {"b": {"title": "鞋"}, "a": ["x", 1]}, "a\nx\nb\ntitle\n鞋"),
        ("card", {"a": [["x", {}, {"y": None}], "z"], "": ""}, "\n\na\nx\ny\nz"),
        ("card", {"𠮷": 1, "ﾔ": {"é": "", "e": 2}, "z": 3}, "z\nﾔ\ne\né\n\n𠮷"),
    ],
)
def test_what_is_said_is_canonical_and_so_are_its_words(kind: str, d: object, words: str) -> None:
    found = client.body_of(send(kind, d))
    assert msgspec.json.decode(found.d) == d
    assert found.words == words == "\n".join(words_of(kind, msgspec.json.decode(found.d)))
    assert found.d == client.body_of(send(kind, msgspec.json.decode(found.d))).d


@pytest.mark.parametrize(
    ("kind", "d"),
    [
        ("text", {}),
        ("text", {"text": ""}),
        ("text", {"text": 5}),
        ("text", {"text": "a\x00"}),
        ("text", {"text": "x", "extra": 1}),
        ("text", {"text": "x" * 2_001}),
        ("text", {"text": "𠮷" * 2_001}),
        ("image", {"url": "javascript:alert(1)"}),
        ("image", {"url": "data:text/html,x"}),
        ("image", {"url": "/v1/files/1", "alt": "x" * 2_001}),
        ("card", {"deep": {"a": ["\x00"]}}),
        ("card", {"a": ["x" * 1_000, {"b": "x" * 1_000}]}),
        ("card", {"x" * 1_000: 1, "y" * 1_000: 2}),
        ("card", {"a": [""] * 2_001}),
        ("card", []),
    ],
)
def test_what_cannot_be_kept_is_refused(kind: str, d: object) -> None:
    with pytest.raises(AppError):
        client.body_of(send(kind, d))


def nested(levels: int) -> dict[str, Any]:
    """Return a card of so many objects and lists inside one another."""
    inner: Any = "x"
    for level in range(levels):
        inner = {"a": inner} if (levels - level) % 2 else [inner]
    assert isinstance(inner, dict)
    return inner


def test_a_card_is_as_deep_as_every_reader_of_the_log_can_read() -> None:
    deepest = client.body_of(send("card", nested(contract.CARD_DEPTH)))
    event = chat_message(msgspec.json.decode(deepest.d), kind="card")
    assert contracts.decode(record(message_of(event))) == event
    for levels in (contract.CARD_DEPTH + 1, 199, 400):
        with pytest.raises(AppError):
            client.body_of(send("card", nested(levels)))


@pytest.mark.parametrize(
    ("kind", "d"),
    [
        ("text", {"text": "𠮷" * contract.TEXT_CHARS}),
        ("image", {"url": "/v1/files/1", "alt": "字" * contract.TEXT_CHARS}),
        ("card", {"t" * 999: "x" * 1_000}),
    ],
)
def test_words_up_to_the_limit_are_taken_whole(kind: str, d: object) -> None:
    assert len(client.body_of(send(kind, d)).words) == contract.TEXT_CHARS


def test_card_hash_ignores_the_order_of_members() -> None:
    one = client.body_of(send("card", {"a": 1, "b": 2}))
    other = client.body_of(send("card", {"b": 2, "a": 1}))
    assert records.body_hash("card", one.d) == records.body_hash("card", other.d)
    assert records.body_hash("card", one.d) != records.body_hash("text", one.d)


# ---- frames to clients


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_websocket_frame_carries_its_payload(size: int) -> None:
    payload = b"x" * size
    assert server.payload_of(server.wire(payload)) == payload


def test_an_event_shows_the_record_as_it_stands_in_the_log() -> None:
    event = chat_message({"text": '价格 "99"'})
    entry = records.entry_of(record(message_of(event)))
    assert entry is not None
    frame = server.event("conv:c1", records.body(entry), position=(1, entry.offset))
    shown = contract.SERVER_FRAME.validate_json(server.payload_of(frame))
    assert isinstance(shown, contract.Ev)
    assert (shown.position, shown.id, shown.time) == ((1, 7), event.id, AT)
    assert msgspec.json.encode(shown.d) == event.body()


def test_a_buyer_does_not_see_a_transfer_note() -> None:
    event = ConversationTransferred(
        id="e1",
        time=AT,
        shop_id=ShopId("shop-a"),
        conversation_id=ConversationId("c1"),
        buyer_id=PersonId("b"),
        version=3,
        from_agent_id=PersonId("a1"),
        to_agent_id=PersonId("a2"),
        to_skill_group_id=SkillGroupId("g"),
        note="canary",
        by=PersonId("a1"),
    )
    entry = records.entry_of(record(message_of(event)))
    assert entry is not None
    assert entry.is_lifecycle
    assert b"canary" in records.body(entry)
    shown = records.shown_to_buyer(entry)
    assert b"canary" not in shown.value
    assert msgspec.json.decode(shown.value)["to_agent_id"] == "a2"


@pytest.mark.parametrize(
    "change",
    [
        {"value": b"{"},
        {"value": b"null"},
        {"value": b'{"shop_id":"other"}'},
        {"key": b"another"},
        {"shop": b"shop-b"},
        {"id": b'"},"x":{"'},
        {"time": b"\xff"},
        {"type": b"chat.message.v9"},
    ],
)
def test_a_poison_record_is_never_shown(change: dict[str, bytes]) -> None:
    entry = records.entry_of(record(message_of(chat_message({"text": "x"}))))
    assert entry is not None
    poison = msgspec.structs.replace(entry, **change)
    with pytest.raises(PoisonRecord):
        shown(poison)


@pytest.mark.parametrize(("escape", "poison"), [("\\u0000", True), ("\\\\u0000", False)])
def test_an_escaped_nul_is_poison_and_the_same_letters_are_text(
    escape: str, *, poison: bool
) -> None:
    message = message_of(chat_message({"text": "MARK"}))
    value = (message.value or b"").replace(b"MARK", escape.encode())
    entry = records.entry_of(record(msgspec.structs.replace(message, value=value)))
    assert entry is not None
    if poison:
        with pytest.raises(PoisonRecord):
            shown(entry)
    else:
        assert b"u0000" in shown(entry)


def shown(entry: records.Entry) -> bytes:
    """Return what a gateway would send, as the hub does it."""
    records.spoken(entry)
    return records.body(entry)


def test_text_that_is_not_utf8_in_an_unread_field_is_never_shown() -> None:
    message = message_of(chat_message({"text": "MARK"}))
    value = (message.value or b"").replace(b"MARK", b"\xff\xfe")
    entry = records.entry_of(record(msgspec.structs.replace(message, value=value)))
    assert entry is not None
    with pytest.raises(PoisonRecord):
        records.spoken(entry)
    with pytest.raises(PoisonRecord):
        records.body(entry)


headers = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_time", "ce_shop", "x"]),
        st.sampled_from([b"conversation.assigned.v1", b"chat.message.v1", b"conversation.", b"c1"])
        | st.binary(max_size=20),
    ),
    max_size=6,
)


@given(st.none() | st.binary(max_size=8), st.none() | st.binary(max_size=40), headers)
def test_no_record_stops_the_reader(
    key: bytes | None, value: bytes | None, found: list[tuple[str, bytes]]
) -> None:
    clock, ring = ManualClock(), Ring()
    bus = MemoryBus(partitions=1)
    nobody: Any = None
    conversations = ConversationStream(
        Hub(clock), nobody, nobody, lanes=NoLanes(), tell=lambda _: None, heads=nowhere()
    )
    if key is not None and key.isascii():
        conversations.watched[key] = Conversation(key)
    chat = ChatChannel(bus, conversations, ring=ring, clock=clock, metrics=METRICS, ring_s=60)
    chat.handle([Record("chat", 0, 5, 0, key, value, tuple(found))])
    assert ring.end(0) == 6


CANONICAL = "01a21bb1-6c92-7022-8b5b-e4acd97e0968"


@pytest.mark.parametrize("text", ["inbox", "conv:c-1", f"conv:{CANONICAL}", "monitor:shop_a"])
def test_the_name_of_a_stream_reads_back_as_it_was_written(text: str) -> None:
    assert str(stream_of(text)) == text


@pytest.mark.parametrize(
    "spelling",
    [
        CANONICAL.upper(),
        CANONICAL.replace("b", "B", 1),
        CANONICAL.replace("-", ""),
        CANONICAL.replace("-", "", 1),
        "01a21bb1-" + CANONICAL.replace("-", "")[8:],
        "0_1a21bb16c9270228b5be4acd97e096",
    ],
)
@pytest.mark.parametrize("kind", ["conv", "monitor"])
def test_an_id_in_another_spelling_names_no_stream(kind: str, spelling: str) -> None:
    with pytest.raises(BadStream, match="lower case and with hyphens"):
        stream_of(f"{kind}:{spelling}")


@pytest.mark.parametrize("text", ["", "c-1", "conv:", "conv:a b", "monitor:", "boards:s", "inbox:"])
def test_what_names_no_stream_is_refused(text: str) -> None:
    with pytest.raises(BadStream):
        stream_of(text)
