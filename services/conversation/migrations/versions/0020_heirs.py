"""Whose heir a refresh token is, and since when another goes on in its place.

The release before leaves both alone: of what it spends no heir is known, as always until now.
"""

from typing import Final

from alembic import op

revision: Final = "0020"
down_revision: Final = "0019"

STATEMENTS: Final = (
    "ALTER TABLE conversation.refresh_tokens ADD COLUMN parent BYTEA",
    """
    COMMENT ON COLUMN conversation.refresh_tokens.parent IS
        'the token that was spent for this one'
    """,
    "ALTER TABLE conversation.refresh_tokens ADD COLUMN dropped_at TIMESTAMP WITH TIME ZONE",
    """
    COMMENT ON COLUMN conversation.refresh_tokens.dropped_at IS
        'another was used in its place'
    """,
)


def upgrade() -> None:
    """Add the columns; no row is written."""
    for statement in STATEMENTS:
        op.execute(statement)
