"""The gateway's stream makes of a log what fold and archive make of it (H7, H8, H33)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pytest

from contracts.base import Event
from contracts.conversation import ConversationOpened
from kit.bus.ports import Message, message_of
from tests.suites.seats import CASES, Case, Seen, Step, What, check
from tests.unit.gateway.talk import (
    GROUP,
    Stream,
    assigned,
    base,
    closed,
    late,
    queued,
    reopened,
    says,
    transferred,
)

pytestmark = pytest.mark.unit

AGENTS = ("anne", "ben", "cleo", "sue")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whose_it_is(case: Case) -> None:
    check(case, read)


def read(log: Sequence[Step]) -> Seen:
    """Play a log to a gateway; contacts are no business of it."""
    stream = Stream(*AGENTS)
    stream.feed([RECORDS[step.what](step) for step in log])
    shown = [f for f in stream.screens["boss"].frames if f["type"] == "chat.message.v1"]
    spoken = [frame for frame in shown if frame["d"]["sender_kind"] == "agent"]
    return Seen(
        owner=stream.conversation.owner_id,
        not_owner=tuple("not_owner" in frame for frame in spoken),
        late=stream.subscriptions["b"].continue_in is not None,
        may_send=frozenset(stream.may_send() - {"b"}),
    )


def of_a_newer_release(version: int) -> Message:
    """Return an event whose type nobody knows here."""
    known = message_of(reopened(version))
    headers = {**dict(known.headers), "ce_type": b"conversation.blessed.v1"}
    return Message(known.topic, known.key, known.value, tuple(headers.items()))


RECORDS: Final[Mapping[What, Callable[[Step], Event | Message]]] = {
    What.OPENED: lambda step: ConversationOpened(**base(step.version), skill_group_id=GROUP),
    What.QUEUED: lambda step: queued(step.version),
    What.ASSIGNED: lambda step: assigned(step.who or "", step.version),
    What.TRANSFERRED: lambda step: transferred("anne", step.who, step.version),
    What.CLOSED: lambda step: closed(step.version),
    What.REOPENED: lambda step: reopened(step.version),
    What.LATE: lambda step: late(step.version),
    What.LATER_TYPE: lambda step: of_a_newer_release(step.version),
    What.BUYER: lambda _: says("b", None, "buyer"),
    What.AGENT: lambda step: says(step.who or "", step.version or None),
}
"""What each kind of step puts into the log."""
