"""What the directory's entry of a member of staff tells."""

from typing import Final

from alembic import op

revision: Final = "0040"
down_revision: Final = "0039"

STATEMENTS: Final = (
    "ALTER TABLE conversation.staff ADD COLUMN listed_form SMALLINT DEFAULT 1 NOT NULL",
    """
    COMMENT ON COLUMN conversation.staff.listed_form IS
        'of the entry in the directory: 2 tells capacity and groups'
    """,
)


def upgrade() -> None:
    """Everybody of before is listed anew by the service; a test compares it with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
