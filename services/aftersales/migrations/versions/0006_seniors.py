"""The senior who holds a work item beside its agent (B42)."""

from typing import Final

from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    """Add the column; no row is written."""
    op.execute("ALTER TABLE aftersales.work_items ADD COLUMN senior_id TEXT")
