"""Since when a session is open and in which client, and which were ended before their tokens were.

The release before leaves the columns empty: such a session began when its token was made.
"""

from typing import Final

from alembic import op

revision: Final = "0022"
down_revision: Final = "0021"

STATEMENTS: Final = (
    "ALTER TABLE conversation.refresh_tokens ADD COLUMN opened_at timestamptz",
    "COMMENT ON COLUMN conversation.refresh_tokens.opened_at IS 'when its family began'",
    "ALTER TABLE conversation.refresh_tokens ADD COLUMN client TEXT",
    "COMMENT ON COLUMN conversation.refresh_tokens.client IS 'as it called itself, cut'",
    """
    CREATE TABLE conversation.ended_sessions (
        sid UUID NOT NULL,
        subject UUID NOT NULL,
        shop_id TEXT NOT NULL,
        ended_at timestamptz NOT NULL,
        CONSTRAINT pk_ended_sessions PRIMARY KEY (sid)
    )
    """,
    """
    CREATE INDEX ix_ended_sessions_ended_at ON conversation.ended_sessions (ended_at)
    """,
)


def upgrade() -> None:
    """Make the columns and the table; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
