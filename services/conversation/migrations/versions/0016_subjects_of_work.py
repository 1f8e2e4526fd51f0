"""What work is about, where that is no order or has no buyer, and the role that alone may have it.

The release before writes none of it: its work is about orders, for whoever is free.
"""

from typing import Final

from alembic import op

revision: Final = "0016"
down_revision: Final = "0015"

STATEMENTS: Final = (
    "ALTER TABLE conversation.work_items ADD COLUMN subject_kind TEXT DEFAULT 'order' NOT NULL",
    "ALTER TABLE conversation.work_items ADD COLUMN subject_id TEXT",
    """
    COMMENT ON COLUMN conversation.work_items.subject_id IS 'the order, where none was told'
    """,
    "ALTER TABLE conversation.work_items ADD COLUMN role TEXT",
    "COMMENT ON COLUMN conversation.work_items.role IS 'who alone may have it'",
    "ALTER TABLE conversation.work_items ALTER COLUMN order_id DROP NOT NULL",
    "ALTER TABLE conversation.work_items ALTER COLUMN buyer_id DROP NOT NULL",
)


def upgrade() -> None:
    """Change the catalogue alone; no row is read or written."""
    for statement in STATEMENTS:
        op.execute(statement)
