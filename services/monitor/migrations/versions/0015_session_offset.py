"""Where the session of a round started: which rounds are of one session."""

from typing import Final

from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"


def upgrade() -> None:
    """Add the column; of older rounds it is not known."""
    op.execute("ALTER TABLE monitor.rounds ADD COLUMN session_offset BIGINT")
    op.execute("COMMENT ON COLUMN monitor.rounds.session_offset IS 'where its session started'")
