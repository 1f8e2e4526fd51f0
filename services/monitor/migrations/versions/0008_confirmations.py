"""Why agents said what the gate asked about: one row a message, the first reason stands."""

from typing import Final

from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.confirmations (
        message_id TEXT NOT NULL,
        incident_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        agent_id TEXT NOT NULL,
        reason TEXT,
        hits JSONB NOT NULL,
        lexicon_version TEXT NOT NULL,
        confirmed_ms BIGINT NOT NULL,
        stored_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_confirmations PRIMARY KEY (message_id)
    )
    """,
    """
    CREATE INDEX ix_confirmations_shop_id_incident_id
        ON monitor.confirmations (shop_id, incident_id)
    """,
    """
    CREATE INDEX ix_confirmations_shop_id_confirmed_ms
        ON monitor.confirmations (shop_id, confirmed_ms)
    """,
    "COMMENT ON COLUMN monitor.confirmations.reason IS 'null: an older client gave none'",
)


def upgrade() -> None:
    """Make the table; nothing writes it yet."""
    for statement in STATEMENTS:
        op.execute(statement)
