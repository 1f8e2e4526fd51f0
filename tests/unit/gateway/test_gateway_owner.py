"""Who holds a conversation, wherever lifecycle and messages stand in the log (H7, H8, H33).

Each case is a log, and what a watching supervisor is shown of it; then where a buyer goes on whose
conversation was closed long ago (H30).
"""

from typing import Final

import pytest

from contracts.base import Event
from contracts.people import PersonId
from kit.bus.ports import Message
from tests.unit.gateway.talk import (
    Log,
    Stream,
    assigned,
    closed,
    contacted,
    late,
    queued,
    reopened,
    says,
    transferred,
)

pytestmark = pytest.mark.unit

CASES: Final[dict[str, tuple[Log, str | None, list[str]]]] = {
    "an agent answers": ([assigned("a", 3), says("a", 3)], "a", []),
    "a goodbye": ([assigned("a", 3), closed(6), says("a", 3)], None, ["a"]),
    "a goodbye from a seat between": ([assigned("a", 3), closed(6), says("a", 5)], None, ["a"]),
    "a goodbye from a seat at the close": (
        [assigned("a", 3), closed(6), says("a", 6)],
        None,
        ["a"],
    ),
    "a lost seat": ([assigned("a", 3), assigned("x", 5), says("a", 3)], "x", ["a"]),
    "a seat lost to the queue": ([assigned("a", 3), queued(4), says("a", 3)], None, ["a"]),
    "handed on": ([assigned("a", 3), transferred("a", "x", 5), says("x", 5)], "x", []),
    "handed to a queue": ([assigned("a", 3), transferred("a", None, 5), says("a", 3)], None, ["a"]),
    "a reply before its assignment": ([assigned("a", 3), says("x", 5)], "x", []),
    "its assignment comes after it": (
        [assigned("a", 3), says("x", 5), queued(4), assigned("x", 5)],
        "x",
        [],
    ),
    "a goodbye after a reopening": (
        [assigned("a", 3), closed(6), reopened(7), says("a", 3)],
        None,
        ["a"],
    ),
    "a new seat after a reopening": (
        [assigned("a", 3), closed(6), reopened(7), assigned("a", 8), says("a", 3), says("a", 8)],
        "a",
        ["a"],
    ),
    "the same agent again": (
        [assigned("a", 3), queued(4), assigned("a", 5), says("a", 3), says("a", 5)],
        "a",
        ["a"],
    ),
    "a reply of the new seat before the reopening": (
        [assigned("a", 3), closed(6), says("a", 8), reopened(7), assigned("a", 8)],
        "a",
        [],
    ),
    "a close that comes late": ([assigned("a", 3), says("x", 8), closed(6)], "x", []),
    "an assignment that comes after its close": (
        [says("x", 5), closed(6), assigned("x", 5), says("x", 5)],
        None,
        ["x"],
    ),
    "a supervisor without a seat": ([assigned("a", 3), says("boss", 3)], "a", ["boss"]),
    "a bot": ([assigned("a", 3), closed(6), says("bot", None, "assist_bot")], None, []),
}


@pytest.mark.parametrize("name", CASES)
def test_a_log_says_who_holds_the_conversation_and_which_replies_came_from_a_lost_seat(
    name: str,
) -> None:
    log, owner, marked = CASES[name]
    stream = Stream()
    stream.feed(log)

    assert stream.conversation.owner_id == owner
    assert stream.marked() == marked
    assert stream.may_send() == {"b"} | ({owner} if owner else set())
    written = [dict(one.headers)["ce_id"].decode() for one in log if isinstance(one, Message)]
    shown = [frame["id"] for frame in stream.screens["b"].frames if "sender_id" in frame["d"]]
    assert shown == written


# ---- where a buyer goes on


def adopted(stream: Stream, version: int, continue_in: str | None) -> None:
    """Let the archive's snapshot come: of a closed conversation."""
    stream.conversation.adopt(
        buyer=PersonId("b"), owner=None, version=version, assignment=3, continue_in=continue_in
    )


@pytest.mark.parametrize("how", ["attach", "late message"])
def test_the_buyer_of_a_conversation_closed_long_ago_is_led_to_the_other_one(how: str) -> None:
    stream = Stream()
    stream.feed([assigned("a", 3), closed(6)])
    assert [subscription.continue_in for subscription in stream.subscriptions.values()] == [
        None
    ] * 4
    if how == "attach":
        adopted(stream, 6, "c2")
    else:
        stream.feed([late(7)])

    led = {name: subscription.continue_in for name, subscription in stream.subscriptions.items()}
    assert led == {"b": "c2", "a": None, "x": None, "boss": None}


@pytest.mark.parametrize("again", [reopened(8), assigned("a", 8), queued(8)])
def test_a_conversation_that_goes_on_leads_nowhere_else(again: Event) -> None:
    stream = Stream()
    stream.feed([assigned("a", 3), closed(6), late(7), again, late(7)])
    adopted(stream, 7, "c2")  # asked before it went on
    assert stream.subscriptions["b"].continue_in is None


def test_of_two_snapshots_of_one_version_the_later_says_where_to_go_on() -> None:
    stream = Stream()
    stream.feed([closed(6), late(7)])
    adopted(stream, 6, None)
    assert stream.subscriptions["b"].continue_in == "c2"
    adopted(stream, 7, None)  # the other one is closed by now
    assert stream.subscriptions["b"].continue_in is None


def test_a_late_message_is_told_to_the_agent_of_the_other_conversation() -> None:
    stream = Stream()
    stream.feed([closed(6), late(7), late(8, agent=None)])

    first, second = stream.told[-2:]
    assert (first.people, second.people) == ({"x", "b", None}, {"b", None})
    assert first.staff.startswith(b'"version":7,"conversation_id":"c1",')
    shown = [frame["type"] for frame in stream.screens["boss"].frames]
    assert shown.count("conversation.late_message.v1") == 2


def test_a_contact_raises_the_version_and_changes_no_owner() -> None:
    stream = Stream()
    stream.feed([assigned("a", 3), contacted(4)])
    assert stream.screens["a"].frames[-1]["type"] == "conversation.contacted.v1"

    stream.feed([assigned("x", 4)])
    assert (stream.conversation.version, stream.conversation.owner_id) == (4, "a")


def test_an_event_without_an_owner_during_a_join_does_not_hide_whose_it_is() -> None:
    """The gateway knew nothing, heard a contact of version 6, and then was told of version 6."""
    stream = Stream()
    stream.feed([contacted(6)])

    stream.conversation.adopt(buyer=PersonId("b"), owner=PersonId("a"), version=6, assignment=3)

    assert stream.conversation.owner_id == "a"
    assert stream.conversation.assignment_version == 3


def test_a_snapshot_of_the_same_version_gives_no_lost_seat_back() -> None:
    stream = Stream()
    stream.feed([assigned("a", 3), closed(6)])

    stream.conversation.adopt(buyer=PersonId("b"), owner=PersonId("a"), version=6, assignment=3)

    assert stream.conversation.owner_id is None
