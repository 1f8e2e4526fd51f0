"""What closed a conversation where no person did (H36, H51)."""

from typing import Final

from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"


def upgrade() -> None:
    """Make the column; a test compares it with the model."""
    op.execute("ALTER TABLE conversation.conversations ADD COLUMN swept TEXT")
