"""The ring, the queues of slow readers, seats by version, the directory, the gate: in memory."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationQueued,
    PersonListed,
    ShopListed,
)
from contracts.frames import CloseCode
from contracts.people import ConversationId, PersonId, Role, ShopId, SkillGroupId
from kit.bus.ports import Position, Record, message_of
from kit.clock import ManualClock
from services.gateway.frames import server
from services.gateway.frames.records import CHAT_TYPE, Entry, Spoken
from services.gateway.history import Ring
from services.gateway.hub import Conversation, Directory, Hub, Person, QueueLimits, SocketSession
from services.gateway.hub.conversations import SubscriptionState
from services.gateway.inbound.unread import Acked, Unread
from services.gateway.limits import Rate
from services.gateway.streams.kinds.conversation import ConversationStream
from tests.unit.gateway.nobody import NoLanes, nowhere

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
SHOP = ShopId("shop-a")


# ---- the ring


def entry(offset: int, *, key: str = "c1", name: str = "", partition: int = 0) -> Entry:
    """Return a small record."""
    made = (name or f"m{partition}-{offset}").encode()
    return Entry(
        partition, offset, 1_000 + offset, key.encode(), made, CHAT_TYPE, b"time", b"s", b"v" * 100
    )


def ring_of(*entries: Entry, **limits: Any) -> Ring:
    """Return a ring that was fed."""
    ring = Ring(**limits)
    ring.begin(0, 0)
    for one in entries:
        ring.append(one)
    return ring


def test_a_ring_gives_a_conversation_in_order_above_an_offset() -> None:
    ring = ring_of(entry(0), entry(1, key="c2"), entry(2), entry(3))
    assert [e.offset for e in ring.after(b"c1", 0)] == [2, 3]
    assert ring.after(b"c1", 3) == []
    assert ring.after(b"unknown", -1) == []
    assert ring.end(0) == 4


def test_a_ring_drops_a_record_whose_id_it_holds_and_names_the_first() -> None:
    ring = ring_of(entry(0, name="m"))
    assert ring.append(entry(1, name="m")) == entry(0, name="m")
    assert [e.offset for e in ring.after(b"c1", -1)] == [0]
    assert ring.end(0) == 2


def test_a_ring_lets_go_by_age_and_raises_the_floor_of_that_partition() -> None:
    ring = ring_of(entry(0), entry(1), entry(2), seconds=1)
    ring.evict(now_ms=2_001 + 1)
    assert ring.floor(0) == 2
    assert [e.offset for e in ring.after(b"c1", -1)] == [2]
    assert ring.find(b"m0-0") is None
    ring.evict(now_ms=10_000)
    assert (len(ring), ring.octets, ring.floor(0), ring.end(0)) == (0, 0, 3, 3)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc")), max_size=60))
def test_a_ring_has_no_hole_between_its_floor_and_its_end(written: list[tuple[int, str]]) -> None:
    ring = Ring(octets=2_000)
    ends = {0: 0, 1: 0, 2: 0}
    said: list[Entry] = []
    for partition, name in written:
        one = entry(ends[partition], key=f"{partition}{name}", partition=partition)
        ends[partition] += 1
        said.append(one)
        ring.append(one)
        ring.evict(0)
        assert ring.octets <= 2_000
        for kept in said:
            held = kept in ring.after(kept.key, kept.offset - 1)
            assert held is (kept.offset >= ring.floor(kept.partition))


# ---- a session's way out


class Wire:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.code: int | None = None

    def write(self, frame: bytes) -> None:
        self.written.append(frame)

    def close(self, code: int, reason: str) -> None:
        self.code = code

    def abort(self) -> None:
        self.code = 1006


class Refills(list[SocketSession]):
    """Remembers who was drained."""


def test_an_acked_message_is_found_until_the_reader_has_met_it() -> None:
    ring = ring_of(entry(0))
    unread = Unread(ring)

    unread.add("m1", Acked("h1", Position(0, 1)))
    found = unread.find("m1")
    ring.append(entry(1, name="m1"))
    unread.add("m2", Acked("h2", Position(0, 2)))

    assert found == Acked("h1", Position(0, 1))
    assert unread.find("m1") is None
    assert ring.find(b"m1") is not None
    assert unread.find("m2") is not None


def test_acked_messages_are_remembered_up_to_a_limit() -> None:
    unread = Unread(ring_of(), limit=2)

    for number in range(3):
        unread.add(f"m{number}", Acked("h", Position(0, number)))

    assert (len(unread), unread.find("m0")) == (2, None)


def socket_of(
    subject: str = "p", role: Role = Role.AGENT, *, limits: QueueLimits | None = None
) -> tuple[SocketSession, Wire, Refills]:
    """Return a session, its wire, and who asked for a refill."""
    wire, refills = Wire(), Refills()
    person = Person(PersonId(subject), role, SHOP, "", 0, 10**12)
    socket = SocketSession(
        wire,
        person,
        socket_id="s",
        bucket=Rate(20, 40).bucket(ManualClock()),
        limits=limits or QueueLimits(3, 1_000),
        drained=refills.append,
        now=0,
    )
    return socket, wire, refills


def test_frames_wait_while_the_wire_pushes_back_and_leave_in_order() -> None:
    socket, wire, refills = socket_of()
    assert socket.offer(b"1")
    socket.hold()
    assert all(socket.offer(frame) for frame in (b"2", b"3", b"4"))
    assert wire.written == [b"1"]
    socket.release()
    assert wire.written == [b"1", b"2", b"3", b"4"]
    assert not refills


def test_a_full_queue_takes_nothing_until_it_is_drained_and_refilled() -> None:
    socket, wire, refills = socket_of(limits=QueueLimits(2, 1_000))
    socket.hold()
    assert [socket.offer(f) for f in (b"1", b"2", b"3")] == [True, True, False]
    socket.full(now=5)
    socket.patch("m", b"old")
    socket.patch("m", b"new")
    socket.lossy(b"typing")
    socket.release()
    assert wire.written == [b"1", b"2", b"new"]
    assert refills == [socket]
    assert not socket.offer(b"4")
    socket.full_since = None
    assert socket.offer(b"4")


def test_bytes_fill_a_queue_too_and_an_unread_answer_closes() -> None:
    socket, wire, _ = socket_of(limits=QueueLimits(100, 10))
    socket.hold()
    assert socket.offer(b"x" * 10)
    socket.answer(b"y")
    assert wire.code == CloseCode.SLOW_READER
    socket.close(CloseCode.RATE, 9)
    assert wire.code == CloseCode.SLOW_READER


# ---- seats


def base(version: int) -> dict[str, Any]:
    """Return the common fields of a lifecycle event."""
    return {
        "id": f"e{version}",
        "time": AT,
        "shop_id": SHOP,
        "conversation_id": ConversationId("c1"),
        "buyer_id": PersonId("b"),
        "version": version,
    }


def assigned(agent: str, version: int) -> ConversationAssigned:
    """Return an assignment."""
    group = SkillGroupId("g")
    return ConversationAssigned(
        **base(version), agent_id=PersonId(agent), skill_group_id=group, reason="r"
    )


def says(agent: str, version: int) -> Spoken:
    """Return an agent's message from a seat of that version."""
    return Spoken(SHOP, "c1", agent, "agent", "id", "h", version)


def test_newer_lifecycle_moves_the_seat_and_older_does_not() -> None:
    conversation = Conversation(b"c1")
    conversation.apply(assigned("a", 3))
    conversation.apply(assigned("late", 2))
    assert (conversation.owner_id, conversation.assignment_version) == ("a", 3)
    conversation.apply(
        ConversationQueued(**base(4), skill_group_id=SkillGroupId("g"), reason="lost")
    )
    assert conversation.owner_id is None
    conversation.apply(assigned("b", 5))
    conversation.apply(ConversationClosed(**base(6), agent_id=PersonId("b"), by=PersonId("b")))
    assert (conversation.owner_id, conversation.version) == (None, 6)


def test_a_reply_that_overtakes_its_assignment_names_the_owner() -> None:
    conversation = Conversation(b"c1")
    conversation.apply(assigned("a", 3))
    assert conversation.heard(says("b", 5))
    assert conversation.owner_id == "b"
    conversation.apply(
        ConversationQueued(**base(4), skill_group_id=SkillGroupId("g"), reason="lost")
    )
    assert conversation.owner_id == "b"
    assert not conversation.heard(says("a", 3))


def test_the_archives_snapshot_never_undoes_what_the_log_told() -> None:
    conversation = Conversation(b"c1")
    conversation.apply(assigned("b", 5))
    conversation.adopt(buyer=PersonId("b1"), owner=PersonId("a"), version=3, assignment=3)
    assert (conversation.owner_id, conversation.buyer_id) == ("b", "b1")
    conversation.adopt(buyer=PersonId("b1"), owner=PersonId("c"), version=7, assignment=7)
    assert conversation.owner_id == "c"


@given(st.permutations(range(1, 8)))
def test_any_order_of_lifecycle_events_ends_with_the_newest_owner(order: list[int]) -> None:
    conversation = Conversation(b"c1")
    for version in order:
        conversation.apply(assigned(f"a{version}", version))
    assert conversation.owner_id == "a7"


# ---- the hub


def conversations_of(hub: Hub) -> ConversationStream:
    """Return what delivers to a hub's conversations; nobody joins here."""
    nobody: Any = None
    return ConversationStream(
        hub, nobody, nobody, lanes=NoLanes(), tell=lambda _: None, heads=nowhere()
    )


def test_a_stream_is_forgotten_with_its_last_seat() -> None:
    hub = Hub(ManualClock())
    conversations = conversations_of(hub)
    (one, _, _), (two, _, _) = socket_of("p"), socket_of("q")
    for socket in (one, two):
        hub.enter(socket)
        conversations.add(socket, b"c1")
    hub.leave(one)
    assert set(conversations.watched) == {b"c1"}
    hub.leave(two)
    hub.leave(two)
    assert (conversations.watched, hub.people) == ({}, {})


def test_a_lifecycle_event_of_a_newer_release_only_raises_the_version() -> None:
    hub = Hub(ManualClock())
    conversations = conversations_of(hub)
    socket, wire, _ = socket_of("p")
    hub.enter(socket)
    conversations.add(socket, b"c1").state = SubscriptionState.LIVE
    conversation = conversations.watched[b"c1"]
    conversation.apply(assigned("a", 3))
    later = assigned("b", 4)
    value, headers = later.body(), dict(later.headers())

    conversations.deliver(
        Entry(
            0,
            7,
            1_007,
            b"c1",
            headers["ce_id"],
            b"conversation.blessed.v1",
            headers["ce_time"],
            headers["ce_shop"],
            value,
        )
    )

    assert (conversation.version, conversation.owner_id, conversations.poisoned) == (4, "a", 0)
    assert wire.written == []


def test_a_withheld_seat_gets_nothing_more_and_others_do() -> None:
    clock = ManualClock()
    hub = Hub(clock)
    (slow, slow_wire, _), (quick, quick_wire, _) = (
        socket_of("p", limits=QueueLimits(1, 99_999)),
        socket_of("q"),
    )
    conversations = conversations_of(hub)
    subscriptions = [conversations.add(socket, b"c1") for socket in (slow, quick)]
    for subscription in subscriptions:
        subscription.state = SubscriptionState.LIVE
    slow.hold()
    body = (
        b'{"shop_id":"s","conversation_id":"c1","sender_id":"b","sender_kind":"buyer",'
        b'"client_id":"i","body_hash":"h"}'
    )
    for offset in range(3):
        one = entry(offset)
        one.value = body
        conversations.deliver(one)
    assert subscriptions[0].state is SubscriptionState.WITHHELD
    assert (subscriptions[0].sent, subscriptions[1].sent) == (0, 2)
    assert (len(slow_wire.written), len(quick_wire.written)) == (0, 3)
    assert b'"position":[0,2]' in server.payload_of(quick_wire.written[2])


# ---- the directory


def record(event: PersonListed | ShopListed) -> Record:
    """Return the record of an entry."""
    message = message_of(event)
    return Record("directory", 0, 0, 0, message.key, message.value, message.headers)


def listed(version: int, **change: Any) -> PersonListed:
    """Return an entry of the person `p`."""
    fields: dict[str, Any] = {
        "id": "e",
        "time": AT,
        "shop_id": SHOP,
        "subject": PersonId("p"),
        "name": "",
        "role": Role.AGENT,
        "active": True,
        "not_before": AT,
        "version": version,
    }
    return PersonListed(**(fields | change))


def test_a_token_is_worth_what_the_newest_entry_says() -> None:
    directory = Directory()
    now = AT.timestamp()
    person = Person(PersonId("p"), Role.AGENT, SHOP, "", now, now + 900)
    assert not directory.revoked(person)
    directory.apply(record(listed(2)))
    assert not directory.revoked(person)
    for change in (
        {"active": False},
        {"not_before": AT + timedelta(milliseconds=1)},
        {"role": Role.CLERK},
        {"shop_id": ShopId("shop-b")},
    ):
        other = Directory()
        other.apply(record(listed(2, **change)))
        assert other.revoked(person), change
        other.apply(record(listed(1)))
        assert other.revoked(person), "an older entry came later"
    directory.apply(Record("directory", 0, 1, 0, b"p", None))
    assert not directory.revoked(person)
