"""The fold makes of a log whose a conversation is, as the two other readers do."""

from collections.abc import Sequence
from typing import Any

import pytest

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationOpened,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    LateMessage,
    LaterLifecycle,
    Lifecycle,
)
from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from services.monitor.fold.standing import Standing, Voice
from tests.suites.seats import CASES, Case, Seen, Step, What, check
from tests.unit.monitor.told import GROUP, moment

pytestmark = pytest.mark.unit

BUYER = PersonId("buyer")

Told = tuple[type[Lifecycle], dict[str, Any]]


def told(step: Step) -> Told:
    """Return the event's class and what it says beside what all of them say."""
    seat: dict[str, Any] = {"skill_group_id": GROUP, "reason": "test"}
    handed = {"from_agent_id": "x", "to_skill_group_id": GROUP, "note": "", "by": "x"}
    late = {"message_id": "m", "continue_in": "other", "agent_id": None}
    by_what: dict[What, Told] = {
        What.OPENED: (ConversationOpened, {"skill_group_id": GROUP}),
        What.QUEUED: (ConversationQueued, seat),
        What.ASSIGNED: (ConversationAssigned, seat | {"agent_id": step.who}),
        What.TRANSFERRED: (ConversationTransferred, handed | {"to_agent_id": step.who}),
        What.CLOSED: (ConversationClosed, {"agent_id": None, "by": "x"}),
        What.REOPENED: (ConversationReopened, {"by": "x", "reason": "buyer_message"}),
        What.LATE: (LateMessage, late),
        What.LATER_TYPE: (LaterLifecycle, {}),
    }
    return by_what[step.what]


def fold(log: Sequence[Step]) -> Seen:
    """Return what the fold makes of a log."""
    standing = Standing(ConversationId("c"), ShopId("s"), BUYER, 0)
    voices: list[Voice] = []
    late = False
    for at_ms, step in enumerate(log, start=1_000):
        match step.what:
            case What.BUYER:
                standing, _ = standing.heard(SenderKind.BUYER, BUYER, seat=None)
            case What.AGENT:
                standing, voice = standing.heard(
                    SenderKind.AGENT, PersonId(step.who or ""), seat=step.version or None
                )
                voices.append(voice)
            case _:
                kind, fields = told(step)
                always = {"id": "e", "time": moment(at_ms), "shop_id": "s", "buyer_id": BUYER}
                always |= {"conversation_id": "c", "version": step.version}
                event = kind.model_validate(always | fields)
                late = late or (step.what is What.LATE and step.version > standing.version)
                standing = standing.told(event, at_ms=at_ms) or standing
    return Seen(
        standing.owner,
        tuple(voice is not Voice.OWNED for voice in voices),
        tuple(voice is not Voice.GOODBYE for voice in voices),
        late,
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_fold_knows_whose_a_conversation_is(case: Case) -> None:
    check(case, fold)
