"""What a text may not hold, edge, archive and monitor say alike: one message stops no reader."""

from datetime import UTC, datetime

import pytest

from contracts.gateway import ChatMessage
from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from kit.bus.ports import Record, message_of
from kit.errors import Dead
from kit.ids import SequenceIds
from kit.text import BadText
from services.conversation.archive.consumers import Rows
from services.gateway.frames import client, records
from services.gateway.frames.client import Unreadable
from services.gateway.frames.records import PoisonRecord
from services.gateway.frames.refusals import BadFrame
from services.monitor.fold.schemas import Unreadable as NotFolded
from services.monitor.fold.schemas import read

pytestmark = pytest.mark.unit

IDS = SequenceIds()


@pytest.mark.parametrize(
    "written",
    [
        r"\\u0000",
        r"\\\\u0000",
        r"a \\ud800 b",
        r"\ud83d\ude00",
        r"\\\\",
        "亲",
        r"\u0007",
    ],
)
def test_what_the_edge_takes_is_archived_counted_and_shown(written: str) -> None:
    assert answers(written) == [True] * 4


@pytest.mark.parametrize(
    "written",
    [
        r"\u0000",
        r"\\\u0000",
        r"\ud800",
        r"\udfff\ud800",
        r"\uD83D\\ude00",
        "\x00",
        "\ud800",
    ],
)
def test_what_the_edge_refuses_is_refused_behind_it_too(written: str) -> None:
    assert answers(written) == [False] * 4


def answers(written: str) -> list[bool]:
    """Tell who takes a text that stands so in JSON: edge, archive, monitor, a gateway's screens."""
    d = f'{{"text":"{written}"}}'.encode(errors="surrogatepass")
    found = record(d)
    return [_edge(d), _archive(found), _monitor(found), _screen(found)]


def record(d: bytes) -> Record:
    """Return a message's record with a body as whoever reaches the broker could write it."""
    sent = message_of(
        ChatMessage(
            id=IDS.new(),
            time=datetime(2026, 11, 11, tzinfo=UTC),
            shop_id=ShopId("shop"),
            conversation_id=ConversationId(IDS.new()),
            sender_id=PersonId("b"),
            sender_kind=SenderKind.BUYER,
            client_id="c",
            kind="text",
            d={"text": "MARK"},
            body_hash="h",
        )
    )
    value = (sent.value or b"").replace(b'{"text":"MARK"}', d)
    return Record(sent.topic, 0, 7, 0, sent.key, value, sent.headers)


def _edge(d: bytes) -> bool:
    frame = b'{"t":"send","id":"aaaaaaaa-1","s":"conv:c1","kind":"text","d":%b}' % d
    try:
        found = client.read(frame)
        assert isinstance(found, client.Send)
        client.body_of(found)
    except (BadText, BadFrame, Unreadable, client.NotUtf8):
        return False
    return True


def _archive(found: Record) -> bool:
    try:
        Rows().add(found)
    except Dead:
        return False
    return True


def _monitor(found: Record) -> bool:
    try:
        read(found)
    except NotFolded:
        return False
    return True


def _screen(found: Record) -> bool:
    entry = records.entry_of(found)
    assert entry is not None
    try:
        records.spoken(entry)
        records.body(entry)
    except PoisonRecord:
        return False
    return True
