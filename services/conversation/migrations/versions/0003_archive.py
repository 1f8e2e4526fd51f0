"""The archive: messages by position, marks, generations and id conflicts."""

from typing import Final

from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"

STATEMENTS: Final = (
    """
    CREATE TABLE conversation.messages (
        message_id UUID NOT NULL,
        conversation_id UUID NOT NULL,
        generation SMALLINT NOT NULL,
        partition SMALLINT NOT NULL,
        log_offset BIGINT NOT NULL,
        type TEXT NOT NULL,
        time timestamptz NOT NULL,
        sender_kind TEXT,
        body_hash TEXT,
        body TEXT NOT NULL,
        late BOOLEAN DEFAULT false NOT NULL,
        archived_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_messages PRIMARY KEY (message_id)
    )
    """,
    """
    COMMENT ON COLUMN conversation.messages.time IS 'receive time at the gateway'
    """,
    """
    COMMENT ON COLUMN conversation.messages.sender_kind IS 'null: a lifecycle event'
    """,
    """
    COMMENT ON COLUMN conversation.messages.body IS 'the record''s JSON, as it stood in the log'
    """,
    """
    CREATE INDEX ix_messages_history ON conversation.messages (conversation_id, generation,
        log_offset)
    """,
    """
    CREATE TABLE conversation.marks (
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        next_offset BIGINT NOT NULL,
        CONSTRAINT pk_marks PRIMARY KEY (topic, partition)
    )
    """,
    """
    CREATE TABLE conversation.generations (
        topic TEXT NOT NULL,
        generation INTEGER NOT NULL,
        topic_id TEXT NOT NULL,
        begun_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_generations PRIMARY KEY (topic, generation)
    )
    """,
    """
    CREATE TABLE conversation.id_conflicts (
        generation SMALLINT NOT NULL,
        partition SMALLINT NOT NULL,
        log_offset BIGINT NOT NULL,
        message_id UUID NOT NULL,
        body_hash TEXT NOT NULL,
        first_hash TEXT NOT NULL,
        seen_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_id_conflicts PRIMARY KEY (generation, partition, log_offset)
    )
    """,
    """
    CREATE INDEX ix_id_conflicts_message_id ON conversation.id_conflicts (message_id)
    """,
)


def upgrade() -> None:
    """Make the tables; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
