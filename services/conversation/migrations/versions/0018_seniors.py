"""How often work escalated, and the senior who holds it beside its agent then (B42).

The release before passes over escalations and leaves the columns alone; work that escalated under
it has a senior with its next level.
"""

from typing import Final

from alembic import op

revision: Final = "0018"
down_revision: Final = "0017"

STATEMENTS: Final = (
    "ALTER TABLE conversation.work_items ADD COLUMN level INTEGER DEFAULT '0' NOT NULL",
    """
    COMMENT ON COLUMN conversation.work_items.level IS 'how often it escalated'
    """,
    "ALTER TABLE conversation.work_items ADD COLUMN owner_version INTEGER DEFAULT '0' NOT NULL",
    """
    COMMENT ON COLUMN conversation.work_items.owner_version IS 'the newest word of its owner'
    """,
    "ALTER TABLE conversation.work_items ADD COLUMN senior_id UUID",
    """
    COMMENT ON COLUMN conversation.work_items.senior_id IS 'holds it beside the agent'
    """,
)


def upgrade() -> None:
    """Add the columns; no row is written."""
    for statement in STATEMENTS:
        op.execute(statement)
