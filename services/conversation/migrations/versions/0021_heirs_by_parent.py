"""An index by which the heirs of a refresh token are found."""

from typing import Final

from kit import tables

revision: Final = "0021"
down_revision: Final = "0020"


def upgrade() -> None:
    """Make it beside running writers."""
    tables.index("ix_refresh_tokens_parent", "conversation.refresh_tokens", "parent")
