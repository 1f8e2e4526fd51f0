"""Which assignments were taken off duty.

The release before leaves the column as it is: what it assigns is of a newer version than what was
taken.
"""

from typing import Final

from alembic import op

revision: Final = "0026"
down_revision: Final = "0024"


def upgrade() -> None:
    """Add the column; no row is written."""
    table = "conversation.conversations"
    op.execute(f"ALTER TABLE {table} ADD COLUMN taken_version INTEGER")
    op.execute(f"COMMENT ON COLUMN {table}.taken_version IS 'assignment that was taken off duty'")
