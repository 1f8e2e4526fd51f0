"""The audit keeps why something was done, where a reason is asked for."""

from typing import Final

from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"

STATEMENTS: Final = (
    """
    ALTER TABLE conversation.audit ADD COLUMN reason text
    """,
)


def upgrade() -> None:
    """Add the column; a test compares it with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
