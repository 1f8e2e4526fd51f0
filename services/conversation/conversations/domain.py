"""What may happen to a conversation: opened, assigned, queued, handed on, closed, rated.

Pure; each decision returns the conversation after it and what the log is told.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypedDict

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationOpened,
    ConversationQueued,
    ConversationRated,
    ConversationReopened,
    ConversationStageChanged,
    Lifecycle,
)
from contracts.people import (
    AssignmentMode,
    ConversationId,
    ConversationState,
    OrderId,
    PersonId,
    ShopId,
    SkillGroupId,
    Stage,
)
from kit.errors import Conflict, Unprocessable
from services.conversation.domain import Stamp

SCORES: Final = range(1, 6)

TIER_STEP: Final = timedelta(seconds=30)
"""What one step of priority is worth in waiting: small buyers wait a bounded time longer (C15)."""

ReopenReason = Literal["buyer_message", "buyer_contact", "staff"]

Swept = Literal["idle", "abandoned", "restored"]
"""What closed a conversation where nobody did: a silence (H36), or the archive after a restore."""


class ConversationIsClosed(Conflict):
    """The conversation is closed; reopen it first."""

    slug, title = "conversation_closed", "The conversation is closed"


class AlreadyRated(Conflict):
    """The buyer is asked once."""

    slug, title = "already_rated", "The conversation is rated already"


@dataclass(frozen=True, slots=True)
class Conversation:
    """The facts that rules decide on.

    `version` rises by one with every event. `assignment_version` is the version at which the
    present owner got it (H8), `taken_version` the one at which somebody last took it off duty:
    older releases know no such thing, and end it. `preferred_agent_id` had the buyer before and is
    asked first; `avoided_agent_id` handed him on and is asked last. `waiting_since` is what its
    place in the queue counts from, set while queued; since when the buyer waits stands in `clock`
    (H37).
    `announced` tells whether the log knows that it is queued. `swept` is set where it is closed and
    no person closed it.
    """

    id: ConversationId
    shop_id: ShopId
    buyer_id: PersonId
    skill_group_id: SkillGroupId
    state: ConversationState
    opened_at: datetime
    stage: Stage = Stage.WELCOME
    version: int = 0
    assignment_version: int = 0
    taken_version: int | None = None
    agent_id: PersonId | None = None
    preferred_agent_id: PersonId | None = None
    avoided_agent_id: PersonId | None = None
    waiting_since: datetime | None = None
    assigned_at: datetime | None = None
    announced: bool = False
    closed_at: datetime | None = None
    swept: Swept | None = None
    priority: int = 0
    subject: str = ""
    order_id: OrderId | None = None
    score: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether its owner took it off duty: it is in nobody's load then (F11)."""
        return self.agent_id is not None and self.taken_version == self.assignment_version

    @property
    def mode(self) -> AssignmentMode | None:
        """How its owner got it."""
        if self.agent_id is None:
            return None
        return AssignmentMode.TAKEN if self.is_taken else AssignmentMode.ROUTED

    @property
    def rank_at(self) -> datetime | None:
        """Its place in its group's queue, stored so that an index finds the head (H39)."""
        since = self.waiting_since
        return None if since is None else rank_of(since, self.priority)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The conversation after a decision and what the log is told; no events, no change."""

    conversation: Conversation
    events: tuple[Lifecycle, ...] = ()


class Head(TypedDict):
    """What every lifecycle event begins with."""

    id: str
    time: datetime
    shop_id: ShopId
    conversation_id: ConversationId
    buyer_id: PersonId
    version: int


def rank_of(since: datetime, priority: int) -> datetime:
    """Return the place in the queue, the earlier the better: priority is time already waited."""
    return since - priority * TIER_STEP


def open_conversation(new: Conversation, stamp: Stamp) -> Outcome:
    """Begin a conversation; it waits until somebody is chosen for it."""
    opened = replace(
        new, state=ConversationState.QUEUED, version=new.version + 1, waiting_since=stamp.at
    )
    event = ConversationOpened(
        **head_of(opened, stamp),
        skill_group_id=opened.skill_group_id,
        subject=opened.subject,
        order_id=opened.order_id,
    )
    return Outcome(opened, (event,))


def assign(
    conversation: Conversation,
    agent_id: PersonId,
    reason: str,
    *,
    stamp: Stamp,
    waits_since: datetime | None = None,
) -> Outcome:
    """Give a waiting conversation to an agent, who is told since when its buyer waits.

    A repeat changes nothing.
    """
    if conversation.state is ConversationState.CLOSED:
        raise ConversationIsClosed
    if conversation.agent_id == agent_id:
        return Outcome(conversation)
    version = conversation.version + 1
    assigned = replace(
        _waits_no_more(conversation),
        state=ConversationState.ASSIGNED,
        version=version,
        assignment_version=version,
        agent_id=agent_id,
        assigned_at=stamp.at,
        preferred_agent_id=agent_id,
        avoided_agent_id=None,
    )
    event = ConversationAssigned(
        **head_of(assigned, stamp),
        agent_id=agent_id,
        previous_agent_id=conversation.agent_id or conversation.preferred_agent_id,
        skill_group_id=assigned.skill_group_id,
        reason=reason,
        waiting_since=waits_since,
    )
    return Outcome(assigned, (event,))


def requeue(
    conversation: Conversation,
    stamp: Stamp,
    *,
    waits_since: datetime | None = None,
    silent: bool = False,
) -> Outcome:
    """Take the conversation from an agent who is lost, or `silent`; `announce` tells the log.

    A lost agent is asked first when he is back, or who had it before he took it; a silent one is
    asked last. Its place in the queue counts
    from the buyer's first unanswered word, and from now if nobody waits (H37).
    """
    if conversation.state is not ConversationState.ASSIGNED:
        return Outcome(conversation)
    had_it = conversation.preferred_agent_id if conversation.is_taken else conversation.agent_id
    waiting = replace(
        conversation,
        state=ConversationState.QUEUED,
        agent_id=None,
        preferred_agent_id=None if silent else had_it,
        avoided_agent_id=conversation.agent_id if silent else None,
        waiting_since=waits_since or stamp.at,
        announced=False,
    )
    return Outcome(waiting)


def announce(
    conversation: Conversation,
    reason: str,
    stamp: Stamp,
    *,
    waits_since: datetime | None = None,
) -> Outcome:
    """Tell the log that the conversation is queued and since when its buyer waits; once."""
    if conversation.state is not ConversationState.QUEUED or conversation.announced:
        return Outcome(conversation)
    told = replace(conversation, announced=True, version=conversation.version + 1)
    event = ConversationQueued(
        **head_of(told, stamp),
        skill_group_id=told.skill_group_id,
        previous_agent_id=told.preferred_agent_id,
        reason=reason,
        waiting_since=waits_since,
    )
    return Outcome(told, (event,))


def close(
    conversation: Conversation,
    by: PersonId,
    reason: str,
    *,
    stamp: Stamp,
    sweep: Literal["idle", "abandoned"] | None = None,
) -> Outcome:
    """End the conversation: a person does, or a `sweep` (H36). A repeat changes nothing."""
    if conversation.state is ConversationState.CLOSED:
        return Outcome(conversation)
    closed = replace(
        _waits_no_more(conversation),
        state=ConversationState.CLOSED,
        version=conversation.version + 1,
        agent_id=None,
        preferred_agent_id=conversation.agent_id or conversation.preferred_agent_id,
        closed_at=stamp.at,
        swept=sweep,
    )
    event = ConversationClosed(
        **head_of(closed, stamp), agent_id=conversation.agent_id, by=by, reason=reason, sweep=sweep
    )
    return Outcome(closed, (event,))


def reopen(
    conversation: Conversation,
    by: PersonId,
    reason: ReopenReason,
    *,
    stamp: Stamp,
    waits_since: datetime | None = None,
) -> Outcome:
    """Go on with a closed conversation: it waits, its last agent is asked first."""
    if conversation.state is not ConversationState.CLOSED:
        return Outcome(conversation)
    reopened = replace(
        conversation,
        state=ConversationState.QUEUED,
        version=conversation.version + 1,
        waiting_since=waits_since or stamp.at,
        announced=False,
        closed_at=None,
        swept=None,
    )
    event = ConversationReopened(**head_of(reopened, stamp), by=by, reason=reason)
    return Outcome(reopened, (event,))


def move_stage(conversation: Conversation, stage: Stage, stamp: Stamp) -> Outcome:
    """Record a step of the reception pipeline; which steps exist stands in `stages`."""
    if conversation.state is ConversationState.CLOSED:
        raise ConversationIsClosed
    if conversation.stage is stage:
        return Outcome(conversation)
    moved = replace(conversation, stage=stage, version=conversation.version + 1)
    event = ConversationStageChanged(
        **head_of(moved, stamp),
        stage=stage,
        previous=conversation.stage,
        agent_id=conversation.agent_id,
    )
    return Outcome(moved, (event,))


def rate(conversation: Conversation, score: int, stamp: Stamp) -> Outcome:
    """Record the buyer's score, once. The same score again changes nothing."""
    if score not in SCORES:
        raise Unprocessable("A score is a whole number from 1 to 5.")
    if conversation.score == score:
        return Outcome(conversation)
    if conversation.score is not None:
        raise AlreadyRated
    rated = replace(conversation, score=score, version=conversation.version + 1)
    event = ConversationRated(
        **head_of(rated, stamp),
        agent_id=conversation.agent_id or conversation.preferred_agent_id,
        score=score,
    )
    return Outcome(rated, (event,))


def _waits_no_more(conversation: Conversation) -> Conversation:
    return replace(conversation, waiting_since=None, announced=False)


def head_of(conversation: Conversation, stamp: Stamp) -> Head:
    """Return what an event that leaves the conversation so begins with."""
    return {
        "id": stamp.ids.new(),
        "time": stamp.at,
        "shop_id": conversation.shop_id,
        "conversation_id": conversation.id,
        "buyer_id": conversation.buyer_id,
        "version": conversation.version,
    }
