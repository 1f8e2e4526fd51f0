"""What others than the buyer said, and what happened: where his wait ends (H37).

Found through the history's index, the last answer stood behind every word of a flood since.
"""

from typing import Final

from kit import tables

revision: Final = "0015"
down_revision: Final = "0014"


def upgrade() -> None:
    """Make it beside running writers."""
    tables.index(
        "ix_messages_answers",
        "conversation.messages",
        "conversation_id, generation, log_offset",
        where="sender_kind is distinct from 'buyer'",
    )
