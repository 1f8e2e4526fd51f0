"""Waits of which conversation was told, so that it may ask a colleague."""

from typing import Final

from alembic import op

revision: Final = "0020"
down_revision: Final = "0019"

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.long_waits (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        waiting_offset BIGINT NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        agent_id TEXT NOT NULL,
        due_ms BIGINT NOT NULL,
        breach_ms BIGINT NOT NULL,
        late_ms BIGINT NOT NULL,
        CONSTRAINT pk_long_waits PRIMARY KEY (generation, partition, waiting_offset)
    )
    """,
    """
    COMMENT ON TABLE monitor.long_waits
        IS 'waits that a colleague may be asked to answer, each told once'
    """,
    """
    COMMENT ON COLUMN monitor.long_waits.waiting_offset
        IS 'since which record the buyer waits for a person'
    """,
    "CREATE INDEX ix_long_waits_shop_id_due_ms ON monitor.long_waits (shop_id, due_ms)",
)


def upgrade() -> None:
    """Make the table; a test compares it with the model."""
    for statement in STATEMENTS:
        op.execute(statement)
