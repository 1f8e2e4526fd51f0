"""A conversation changes hands by a person's wish: handed on, taken, given back (F11).

Pure, like `domain`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.conversation import ConversationAssigned, ConversationTransferred
from contracts.people import AssignmentMode, ConversationState, PersonId, SkillGroupId
from kit.errors import Conflict, Unprocessable
from kit.text import is_blank
from services.conversation.conversations.domain import (
    Conversation,
    ConversationIsClosed,
    Outcome,
    head_of,
)
from services.conversation.domain import Stamp

TAKEN: Final = "taken"
"""Why somebody has a conversation who was not chosen for it."""


class NoteMissing(Unprocessable):
    """A transfer says why, so that the next agent need not ask the buyer again (C11)."""

    slug, title = "note_missing", "A transfer needs a note for the next agent"


class NothingToTransfer(Conflict):
    """Nobody owns the conversation, or it would go to the one who has it."""

    slug, title = "nothing_to_transfer", "The conversation is not handed on by this"


@dataclass(frozen=True, slots=True)
class HandOver:
    """Where a conversation goes: to a person of a group, or to the group's queue.

    `reason` and `offer_id` say so where nobody wished it: he accepted what he was offered.
    """

    to_agent_id: PersonId | None
    to_skill_group_id: SkillGroupId
    note: str
    by: PersonId
    reason: str | None = None
    offer_id: str | None = None


def transfer(
    conversation: Conversation, over: HandOver, stamp: Stamp, *, waits_since: datetime | None = None
) -> Outcome:
    """Hand the conversation on; the buyer's wait goes on where it began (H37).

    Raises `NoteMissing`, `ConversationIsClosed`, `NothingToTransfer`.
    """
    if is_blank(over.note):
        raise NoteMissing
    if conversation.state is ConversationState.CLOSED:
        raise ConversationIsClosed
    giver = conversation.agent_id
    if giver is None or giver == over.to_agent_id:
        raise NothingToTransfer
    version = conversation.version + 1
    if over.to_agent_id is not None:
        moved = replace(
            conversation,
            skill_group_id=over.to_skill_group_id,
            version=version,
            assignment_version=version,
            agent_id=over.to_agent_id,
            assigned_at=stamp.at,
            preferred_agent_id=over.to_agent_id,
            avoided_agent_id=None,
        )
    else:
        moved = replace(
            conversation,
            state=ConversationState.QUEUED,
            skill_group_id=over.to_skill_group_id,
            version=version,
            agent_id=None,
            preferred_agent_id=None,
            avoided_agent_id=giver,
            waiting_since=waits_since or stamp.at,
            announced=True,  # `transferred` says so itself
        )
    event = ConversationTransferred(
        **head_of(moved, stamp),
        from_agent_id=giver,
        to_agent_id=over.to_agent_id,
        to_skill_group_id=over.to_skill_group_id,
        note=over.note,
        by=over.by,
        waiting_since=waits_since,
        reason=over.reason,
        offer_id=over.offer_id,
    )
    return Outcome(moved, (event,))


@dataclass(frozen=True, slots=True)
class Take:
    """Who takes a conversation and how; `note` is for the colleague who loses it."""

    by: PersonId
    mode: AssignmentMode
    note: str = ""


def take(
    conversation: Conversation, taken: Take, stamp: Stamp, *, waits_since: datetime | None = None
) -> Outcome:
    """Make somebody the owner by his own wish; the buyer's wait goes on where it began (H37).

    A repeat changes nothing. Who had it is asked first when it is given back. Raises
    `ConversationIsClosed`, and `NoteMissing` where a colleague loses it.
    """
    if conversation.state is ConversationState.CLOSED:
        raise ConversationIsClosed
    if conversation.agent_id == taken.by:
        return Outcome(conversation)
    if conversation.agent_id is not None and is_blank(taken.note):
        raise NoteMissing
    version = conversation.version + 1
    owned = replace(
        conversation,
        state=ConversationState.ASSIGNED,
        version=version,
        assignment_version=version,
        taken_version=version if taken.mode is AssignmentMode.TAKEN else None,
        agent_id=taken.by,
        assigned_at=stamp.at,
        preferred_agent_id=conversation.agent_id or conversation.preferred_agent_id,
        avoided_agent_id=None,
        waiting_since=None,
        announced=False,
    )
    return Outcome(owned, (_told(conversation, owned, taken, stamp=stamp, since=waits_since),))


def _told(
    before: Conversation, owned: Conversation, taken: Take, *, stamp: Stamp, since: datetime | None
) -> ConversationAssigned | ConversationTransferred:
    """Return what the log is told: of one that waited that it is assigned, else that it moved."""
    if before.agent_id is None:
        return ConversationAssigned(
            **head_of(owned, stamp),
            agent_id=taken.by,
            previous_agent_id=before.preferred_agent_id,
            skill_group_id=owned.skill_group_id,
            reason=TAKEN,
            waiting_since=since,
            mode=taken.mode,
        )
    return ConversationTransferred(
        **head_of(owned, stamp),
        from_agent_id=before.agent_id,
        to_agent_id=taken.by,
        to_skill_group_id=owned.skill_group_id,
        note=taken.note,
        by=taken.by,
        waiting_since=since,
        mode=taken.mode,
    )


def give_back(
    conversation: Conversation, note: str, stamp: Stamp, *, waits_since: datetime | None = None
) -> Outcome:
    """Return the conversation to its group's queue, at the buyer's old clock.

    Who had it before is asked first, its owner last. What is queued already stays as it is. Raises
    `ConversationIsClosed`.
    """
    if conversation.state is ConversationState.CLOSED:
        raise ConversationIsClosed
    giver = conversation.agent_id
    if giver is None:
        return Outcome(conversation)
    had_it = conversation.preferred_agent_id
    waiting = replace(
        conversation,
        state=ConversationState.QUEUED,
        version=conversation.version + 1,
        agent_id=None,
        preferred_agent_id=None if had_it == giver else had_it,
        avoided_agent_id=giver,
        waiting_since=waits_since or stamp.at,
        announced=True,  # `transferred` says so itself
    )
    event = ConversationTransferred(
        **head_of(waiting, stamp),
        from_agent_id=giver,
        to_agent_id=None,
        to_skill_group_id=waiting.skill_group_id,
        note=note,
        by=giver,
        waiting_since=waits_since,
    )
    return Outcome(waiting, (event,))
