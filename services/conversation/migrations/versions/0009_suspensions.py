"""Who suspended a member of staff: only a leader lifts what a leader said (H38).

A process of the release before leaves the column alone; what a leader says to it can be lifted by
the agent, as it always could.
"""

from typing import Final

from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"

STATEMENTS: Final = (
    """
    ALTER TABLE conversation.staff ADD COLUMN suspended_by UUID
    """,
    """
    COMMENT ON COLUMN conversation.staff.suspended_by IS 'the leader whose suspension stands'
    """,
)


def upgrade() -> None:
    """Add the column; a test compares it with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
