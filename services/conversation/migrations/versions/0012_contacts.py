"""Contacts: stored messages whose arrival may change a conversation (H30)."""

from typing import Final

from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"

STATEMENTS: Final = (
    """
    CREATE TABLE conversation.contacts (
        message_id UUID NOT NULL,
        conversation_id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        generation SMALLINT NOT NULL,
        log_offset BIGINT NOT NULL,
        tried_at timestamptz,
        CONSTRAINT pk_contacts PRIMARY KEY (message_id)
    )
    """,
    """
    COMMENT ON COLUMN conversation.contacts.tried_at IS 'when acting on it failed'
    """,
    """
    CREATE INDEX ix_contacts_shop_id ON conversation.contacts (shop_id)
    """,
    """
    CREATE INDEX ix_contacts_conversation_id ON conversation.contacts (conversation_id)
    """,
)


def upgrade() -> None:
    """Make the table; a test compares it with the model."""
    for statement in STATEMENTS:
        op.execute(statement)
