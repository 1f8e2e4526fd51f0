"""Indexes for what was settled before it was known whether the shop was staffed (H35)."""

from typing import Final

from kit import tables

revision: Final = "0004"
down_revision: Final = "0003"

PROVISIONAL: Final = "unstaffed is null and rules = 2"


def upgrade() -> None:
    """Make them beside running writers; they hold the rows of the last second or two."""
    tables.index("ix_rounds_provisional", "monitor.rounds", "opened_ms", where=PROVISIONAL)
    tables.index("ix_sessions_provisional", "monitor.sessions", "started_ms", where=PROVISIONAL)
