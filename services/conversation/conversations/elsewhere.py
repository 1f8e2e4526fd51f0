"""What is told when a buyer wrote into an older conversation than the one he is served in (H30).

Pure, like `domain`.
"""

from dataclasses import replace
from datetime import datetime

from contracts.conversation import ConversationContacted, LateMessage
from contracts.people import ConversationId, MessageId
from services.conversation.conversations.domain import Conversation, Outcome, head_of
from services.conversation.domain import Stamp


def tell_late(
    conversation: Conversation, message_id: MessageId, home: Conversation, *, stamp: Stamp
) -> Outcome:
    """Tell that a buyer wrote into a closed conversation while he is served in `home` (H30)."""
    told = replace(conversation, version=conversation.version + 1)
    event = LateMessage(
        **head_of(told, stamp), message_id=message_id, continue_in=home.id, agent_id=home.agent_id
    )
    return Outcome(told, (event,))


def tell_contacted(
    home: Conversation,
    message_id: MessageId,
    said: tuple[ConversationId, datetime],
    *,
    stamp: Stamp,
) -> Outcome:
    """Tell that the buyer waits in `home` for what he `said`: where, and when (H30)."""
    told = replace(home, version=home.version + 1)
    event = ConversationContacted(
        **head_of(told, stamp),
        message_id=message_id,
        written_in=said[0],
        received_at=said[1],
    )
    return Outcome(told, (event,))
