"""Brings a conversation to where the log says that it stands, for its row came from a backup (H51).

Pure; what the log says is told to nobody again.
"""

from collections.abc import Iterable
from dataclasses import replace

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationOpened,
    ConversationQueued,
    ConversationRated,
    ConversationReopened,
    ConversationStageChanged,
    ConversationTransferred,
    Lifecycle,
)
from contracts.people import AssignmentMode, ConversationState, PersonId
from services.conversation.conversations.domain import Conversation


def unknown_here(opened: ConversationOpened) -> Conversation:
    """Return the conversation that a log begins and no row stands for, before anything is told.

    It is closed until `follow` has read on: nobody is to be given what somebody had already.
    """
    return Conversation(
        id=opened.conversation_id,
        shop_id=opened.shop_id,
        buyer_id=opened.buyer_id,
        skill_group_id=opened.skill_group_id,
        state=ConversationState.CLOSED,
        opened_at=opened.time,
        closed_at=opened.time,
        swept="restored",
        subject=opened.subject,
        order_id=opened.order_id,
    )


def follow(conversation: Conversation, told: Iterable[Lifecycle]) -> Conversation:
    """Return the conversation after what the log told of it; what it has already changes nothing.

    A type that only a newer release knows raises the version alone (H47).
    """
    for event in sorted(told, key=lambda one: one.version):
        if event.version > conversation.version:
            conversation = replace(_after(conversation, event), version=event.version)
    return conversation


def closed_for(conversation: Conversation) -> Conversation:
    """Return it closed: its buyer has another one open, and of these there is one at most."""
    return replace(
        conversation,
        state=ConversationState.CLOSED,
        agent_id=None,
        waiting_since=None,
        announced=False,
        closed_at=conversation.closed_at or conversation.opened_at,
        swept="restored",
    )


def _after(conversation: Conversation, event: Lifecycle) -> Conversation:
    after = conversation
    match event:
        case ConversationOpened() | ConversationReopened():
            after = _queued(conversation, event, announced=False)
        case ConversationQueued():
            asked_first = replace(conversation, preferred_agent_id=event.previous_agent_id)
            after = _queued(asked_first, event, announced=True)
        case ConversationAssigned():
            grouped = replace(conversation, skill_group_id=event.skill_group_id)
            after = _assigned(grouped, event, event.agent_id, mode=event.mode)
        case ConversationTransferred():
            after = _transferred(conversation, event)
        case ConversationClosed():
            after = _closed(conversation, event)
        case ConversationStageChanged():
            after = replace(conversation, stage=event.stage)
        case ConversationRated():
            after = replace(conversation, score=event.score)
        case _:
            pass  # it changes nothing that the row holds
    return after


def _transferred(conversation: Conversation, event: ConversationTransferred) -> Conversation:
    grouped = replace(conversation, skill_group_id=event.to_skill_group_id)
    if event.to_agent_id is not None:
        return _assigned(grouped, event, event.to_agent_id, mode=event.mode)
    handed_on = replace(grouped, preferred_agent_id=None, avoided_agent_id=event.from_agent_id)
    return _queued(handed_on, event, announced=True)


def _closed(conversation: Conversation, event: ConversationClosed) -> Conversation:
    return replace(
        conversation,
        state=ConversationState.CLOSED,
        agent_id=None,
        preferred_agent_id=event.agent_id or conversation.preferred_agent_id,
        waiting_since=None,
        announced=False,
        closed_at=event.time,
        swept=event.sweep,
    )


def _queued(conversation: Conversation, event: Lifecycle, *, announced: bool) -> Conversation:
    told = None
    if isinstance(event, ConversationQueued | ConversationTransferred):
        told = event.waiting_since
    return replace(
        conversation,
        state=ConversationState.QUEUED,
        agent_id=None,
        waiting_since=told or conversation.waiting_since or event.time,
        announced=announced,
        closed_at=None,
        swept=None,
    )


def _assigned(
    conversation: Conversation, event: Lifecycle, agent_id: PersonId, *, mode: AssignmentMode
) -> Conversation:
    return replace(
        conversation,
        state=ConversationState.ASSIGNED,
        agent_id=agent_id,
        assignment_version=event.version,
        taken_version=event.version if mode is AssignmentMode.TAKEN else None,
        assigned_at=event.time,
        preferred_agent_id=agent_id,
        avoided_agent_id=None,
        waiting_since=None,
        announced=False,
        closed_at=None,
        swept=None,
    )
