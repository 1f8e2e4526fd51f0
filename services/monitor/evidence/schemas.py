"""Flags and incidents over REST."""

from typing import Literal

from contracts.base import Moment
from contracts.gateway import WordingHit
from contracts.people import ConversationId, MessageId, PersonId
from services.monitor.access.schemas import Answer


class Flag(Answer):
    """A delivered message that breaks a wording rule."""

    message_id: MessageId
    conversation_id: ConversationId
    sender_id: PersonId
    speaker: Literal["agent", "buyer"]
    at: Moment
    categories: list[str]
    hits: list[WordingHit]
    lexicon_version: str
    policy_version: str


class Confirmation(Answer):
    """The agent meant it: under which id the message was said, and his reason if he gave one."""

    message_id: MessageId
    reason: str | None
    at: Moment


class Incident(Answer):
    """A message that the gate kept from the buyer, with its evidence.

    `confirmed` where the gate asked and the agent said it all the same.
    """

    incident_id: str
    conversation_id: ConversationId
    agent_id: PersonId
    client_id: str
    action: Literal["block", "confirm"]
    text: str
    categories: list[str]
    hits: list[WordingHit]
    lexicon_version: str
    policy_version: str
    held_at: Moment
    stored_at: Moment
    confirmed: Confirmation | None
