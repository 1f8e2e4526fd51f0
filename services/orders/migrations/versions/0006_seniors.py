"""The senior who holds work on an order beside its agent (B42).

Empty for what was assigned until now; the release before adds none.
"""

from typing import Final

from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    """Add the column; no row is written."""
    op.execute("ALTER TABLE orders.work ADD COLUMN senior_id TEXT")
