"""An index of what was taken off duty: few rows, which are in nobody's load."""

from typing import Final

from kit import tables

revision: Final = "0029"
down_revision: Final = "0028"


def upgrade() -> None:
    """Make it beside running writers."""
    tables.index(
        "ix_conversations_taken",
        "conversation.conversations",
        "shop_id, agent_id",
        where="taken_version = assignment_version and state = 'assigned'",
    )
