"""Logins: when a refresh token began, and from where a member of staff has signed in."""

from typing import Final

from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"

STATEMENTS: Final = (
    """
    ALTER TABLE conversation.refresh_tokens ADD COLUMN created_at timestamptz
    """,
    """
    CREATE TABLE conversation.staff_origins (
        staff_id UUID NOT NULL,
        origin UUID NOT NULL,
        seen_at timestamptz NOT NULL,
        CONSTRAINT pk_staff_origins PRIMARY KEY (staff_id, origin),
        CONSTRAINT fk_staff_origins_staff_id FOREIGN KEY(staff_id) REFERENCES conversation.staff
            (id) ON DELETE cascade
    )
    """,
    """
    COMMENT ON COLUMN conversation.staff_origins.origin IS 'derived from staff id and address'
    """,
    """
    CREATE INDEX ix_staff_origins_seen_at ON conversation.staff_origins (seen_at)
    """,
)


def upgrade() -> None:
    """Make the column and the table; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
