"""What the monitor tells of buyers whose agents have not answered, so that somebody is asked."""

from typing import ClassVar

from contracts.base import Moment
from contracts.monitor import Alert
from contracts.people import ConversationId, PersonId


class HandoffDue(Alert):
    """A buyer's agent has not answered for as long as his shop waits before it asks a colleague.

    Once a wait. The monitor knows when; who is asked, and whether anybody is, is decided where
    conversations are. No socket is told.
    """

    type: ClassVar[str] = "monitor.handoff_due.v1"

    conversation_id: ConversationId
    agent_id: PersonId
    seat_version: int
    waiting_since: Moment
    breach_at: Moment
