"""Which sites may show a shop's chat, and how it greets there.

The release before leaves the column empty: no site but our own may.
"""

from typing import Final

from alembic import op

revision: Final = "0023"
down_revision: Final = "0022"


def upgrade() -> None:
    """Make the column; a test compares it with the model."""
    op.execute("ALTER TABLE conversation.shops ADD COLUMN widget JSONB DEFAULT '{}' NOT NULL")
