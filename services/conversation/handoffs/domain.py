"""Who is offered the buyer of an agent that has not answered, for how long, and what ends it.

Pure; each decision returns values, and of a conversation what the log is told.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from contracts.conversation import HandoffEnded, HandoffOffered
from contracts.people import (
    AgentState,
    ConversationId,
    ConversationState,
    PersonId,
    ShopId,
    SkillGroupId,
)
from kit.errors import Conflict
from services.conversation.conversations.domain import Conversation, Outcome, head_of
from services.conversation.conversations.handing import HandOver, transfer
from services.conversation.domain import Stamp
from services.conversation.routing.assignment import Candidate

SYSTEM: Final = PersonId("system")
"""Who hands on where no person does."""

HANDOFF: Final = "handoff"
"""Why a conversation is handed on that somebody was offered."""

NOTE: Final = "接力：买家等待将超时，由同事接手 / Taken over before the wait was too long"
"""What the next agent reads; screens say it in his language by the transfer's reason."""

STALE: Final = timedelta(seconds=10)
"""A wait that was told of longer ago is left to whoever takes buyers from the silent (H38)."""

STANDS: Final = timedelta(seconds=8)
OVERTIME: Final = timedelta(seconds=5)
"""An offer stands so long, and no longer than this beyond the limit."""

GRACE: Final = timedelta(seconds=1)
"""Accepted so long after its end it was accepted in time: the way here takes a moment."""

GIVEN_UP: Final = timedelta(seconds=2)
"""So long before the limit nobody new is asked any more."""

TYPING: Final = timedelta(seconds=3)
"""The agent who gave a sign of typing within it is about to answer."""

BUSY_PERCENT: Final = 70
"""Whoever has so much of his places taken is asked for no more."""

OWN_WAIT: Final = timedelta(seconds=20)
"""Whoever has a buyer of his own waiting for longer is not asked."""

PERSON_OFFERS: Final = 4
PERSON_WINDOW: Final = timedelta(minutes=10)
"""One person is offered fewer than so many within it."""

WAIT_OFFERS: Final = 3
"""So many are asked for one wait at most."""

ACCEPTED_MOST: Final = 2
ACCEPTED_WINDOW: Final = timedelta(hours=1)
"""A conversation is handed on so often within it at most."""

BACK_AFTER: Final = timedelta(minutes=30)
"""Who had the buyer within it is not offered him again."""

AT_ONCE: Final = 200
"""Waits of a shop that are looked at a second, those first whose limit is nearest."""

End = Literal["declined", "expired", "answered", "closed", "moved"]
"""How an offer ends that nobody accepts."""


class AnsweredMeanwhile(Conflict):
    """The buyer has his answer; he stays where he is."""

    slug, title = "answered_meanwhile", "The buyer was answered meanwhile"


class OfferOver(Conflict):
    """The offer stands no longer."""

    slug, title = "offer_over", "This offer is over"


class OfferState(StrEnum):
    """What became of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    ANSWERED = "answered"
    CLOSED = "closed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class LongWait:
    """A buyer for whom a colleague is looked for: the wait of one seat of his conversation."""

    shop_id: ShopId
    conversation_id: ConversationId
    from_agent_id: PersonId
    seat_version: int
    waiting_since: datetime
    breach_at: datetime

    def is_up(self, now: datetime) -> bool:
        """Tell whether nobody new is asked any more."""
        return now >= self.breach_at - GIVEN_UP


@dataclass(frozen=True, slots=True)
class Offer(LongWait):
    """A wait that one colleague is asked to answer."""

    id: str
    to_agent_id: PersonId
    offered_at: datetime
    expires_at: datetime
    state: OfferState = OfferState.OPEN

    def is_late(self, now: datetime) -> bool:
        """Tell whether it cannot be accepted any more."""
        return now > self.expires_at + GRACE


@dataclass(frozen=True, slots=True)
class Tried:
    """What was done for a wait so far: who was asked, and who had the conversation lately.

    Nobody is asked twice for one wait.
    """

    asked: frozenset[PersonId] = frozenset()
    accepted_lately: int = 0
    had: frozenset[PersonId] = frozenset()

    @property
    def is_enough(self) -> bool:
        """Whether no more is tried."""
        return len(self.asked) >= WAIT_OFFERS or self.accepted_lately >= ACCEPTED_MOST


def ended_by(
    wait: LongWait, conversation: Conversation, waits_since: datetime | None
) -> Literal["answered", "closed", "moved"] | None:
    """Tell what ended a wait; None: the buyer waits on for the same agent."""
    if conversation.state is ConversationState.CLOSED:
        return "closed"
    seat = conversation.agent_id, conversation.assignment_version
    if seat != (wait.from_agent_id, wait.seat_version) or conversation.is_taken:
        return "moved"
    if waits_since is None or waits_since > wait.waiting_since + timedelta(milliseconds=1):
        return "answered"
    return None


def is_free(one: Candidate) -> bool:
    """Tell whether somebody has so much room that he may be asked for more."""
    return one.state is AgentState.ONLINE and one.load * 100 < one.capacity * BUSY_PERCENT


def best_placed(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return who may be asked, the least loaded first."""
    return sorted(
        filter(is_free, candidates),
        key=lambda one: (
            one.load / max(one.capacity, 1),
            one.last_assigned_at.timestamp() if one.last_assigned_at else 0.0,
            one.agent_id,
        ),
    )


def choice(
    group: SkillGroupId, free: Iterable[Candidate], not_these: Collection[PersonId], *, any_: bool
) -> Candidate | None:
    """Choose whom to ask: the best placed of the group, else, where it overflows, of any."""
    able = [one for one in free if one.agent_id not in not_these]
    of_group = (one for one in able if one.serves(group))
    return next(of_group, able[0] if able and any_ else None)


def offer(
    wait: LongWait, conversation: Conversation, to_agent_id: PersonId, *, stamp: Stamp
) -> tuple[Offer, Outcome]:
    """Ask somebody; the seat stays whose it is."""
    made = Offer(
        shop_id=wait.shop_id,
        conversation_id=wait.conversation_id,
        from_agent_id=wait.from_agent_id,
        seat_version=wait.seat_version,
        waiting_since=wait.waiting_since,
        breach_at=wait.breach_at,
        id=stamp.ids.new(),
        to_agent_id=to_agent_id,
        offered_at=stamp.at,
        expires_at=min(stamp.at + STANDS, wait.breach_at + OVERTIME),
    )
    asked = replace(conversation, version=conversation.version + 1)
    event = HandoffOffered(
        **head_of(asked, stamp),
        offer_id=made.id,
        agent_id=to_agent_id,
        from_agent_id=made.from_agent_id,
        skill_group_id=conversation.skill_group_id,
        waiting_since=made.waiting_since,
        breach_at=made.breach_at,
        expires_at=made.expires_at,
    )
    return made, Outcome(asked, (event,))


def end(over: Offer, conversation: Conversation, how: End, *, stamp: Stamp) -> Outcome:
    """Tell the log that an offer is over."""
    after = replace(conversation, version=conversation.version + 1)
    event = HandoffEnded(
        **head_of(after, stamp), offer_id=over.id, agent_id=over.to_agent_id, outcome=how
    )
    return Outcome(after, (event,))


def give_up(conversation: Conversation, stamp: Stamp) -> Outcome:
    """Tell the log that nobody could be asked."""
    after = replace(conversation, version=conversation.version + 1)
    event = HandoffEnded(**head_of(after, stamp), offer_id=None, agent_id=None, outcome="nobody")
    return Outcome(after, (event,))


def accept(
    accepted: Offer, conversation: Conversation, since: datetime, *, stamp: Stamp
) -> Outcome:
    """Hand the conversation on to who was asked; the buyer's clock goes on as it is."""
    over = HandOver(
        accepted.to_agent_id,
        conversation.skill_group_id,
        NOTE,
        SYSTEM,
        reason=HANDOFF,
        offer_id=accepted.id,
    )
    return transfer(conversation, over, stamp, waits_since=since)
