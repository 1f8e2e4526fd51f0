"""Who had the buyer when a threshold was passed."""

from typing import Final

from alembic import op

revision: Final = "0019"
down_revision: Final = "0018"

STATEMENTS: Final = (
    "ALTER TABLE monitor.firings ADD COLUMN agent_id TEXT",
    "COMMENT ON COLUMN monitor.firings.agent_id IS 'who had the buyer then; null: nobody'",
)


def upgrade() -> None:
    """Add the column; a test compares it with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
