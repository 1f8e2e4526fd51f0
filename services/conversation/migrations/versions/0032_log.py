"""An index by which the archive is read along its log, as the index of words follows it."""

from typing import Final

from kit import tables

revision: Final = "0032"
down_revision: Final = "0031"


def upgrade() -> None:
    """Make it beside running writers."""
    tables.index("ix_messages_log", "conversation.messages", "generation, partition, log_offset")
