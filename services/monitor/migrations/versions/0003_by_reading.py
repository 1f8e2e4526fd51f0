"""Begins state, rounds, sessions and totals anew: kept by reading, with the book in force (H49).

Monitors of the release before end first. Each partition is folded again from the oldest record of
the log when it is taken over; flags and firings stay, and below the old place nothing is told.
Rounds and sessions that are older than the log stay, marked `rules` 1.
"""

from typing import Final

from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"

STATEMENTS: Final = (
    """
    ALTER TABLE monitor.partitions ADD COLUMN log_ms BIGINT NOT NULL DEFAULT 0,
        ADD COLUMN refold_below BIGINT
    """,
    "ALTER TABLE monitor.partitions ALTER COLUMN log_ms DROP DEFAULT",
    "COMMENT ON COLUMN monitor.partitions.log_ms IS 'greatest receive time folded'",
    """
    COMMENT ON COLUMN monitor.partitions.refold_below IS
        'below it only what began anew is folded (H49)'
    """,
    """
    INSERT INTO monitor.partitions (partition, watermark_ms, log_ms, caught_up_ms, refold_below)
    SELECT partition, 0, 0, 0, next_offset FROM monitor.positions
    WHERE consumer = 'monitor.fold' AND topic = 'chat'
    ON CONFLICT (partition) DO UPDATE SET refold_below = excluded.refold_below
    """,
    "DELETE FROM monitor.positions WHERE consumer = 'monitor.fold' AND topic = 'chat'",
    "DROP TABLE monitor.conversations",
    """
    CREATE TABLE monitor.conversations (
        conversation_id TEXT NOT NULL,
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        open BOOLEAN NOT NULL,
        owner TEXT,
        waiting_ms BIGINT,
        oldest_round_ms BIGINT,
        unsettled BOOLEAN NOT NULL,
        forget_ms BIGINT,
        state BYTEA NOT NULL,
        CONSTRAINT pk_conversations PRIMARY KEY (conversation_id)
    )
    """,
    """
    CREATE INDEX ix_conversations_live ON monitor.conversations (shop_id)
        WHERE open or unsettled
    """,
    """
    CREATE INDEX ix_conversations_generation_partition
        ON monitor.conversations (generation, partition)
    """,
    "COMMENT ON COLUMN monitor.conversations.generation IS 'to which its offsets belong'",
    """
    COMMENT ON COLUMN monitor.conversations.waiting_ms IS
        'since when the buyer waits for a human'
    """,
    """
    COMMENT ON COLUMN monitor.conversations.oldest_round_ms IS
        'oldest open round of any reading'
    """,
    """
    COMMENT ON COLUMN monitor.conversations.unsettled IS
        'a round or first response is not settled'
    """,
    "COMMENT ON COLUMN monitor.conversations.forget_ms IS 'log time after which the row may go'",
    "COMMENT ON COLUMN monitor.conversations.state IS 'services.monitor.fold.states'",
    """
    CREATE TABLE monitor.book_spans (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        first_offset BIGINT NOT NULL,
        fingerprint TEXT NOT NULL,
        readings TEXT[] NOT NULL,
        digests JSONB NOT NULL,
        CONSTRAINT pk_book_spans PRIMARY KEY (generation, partition, first_offset)
    )
    """,
    "COMMENT ON COLUMN monitor.book_spans.digests IS '{profile: hash of its rules}'",
    """
    CREATE TABLE monitor.books (
        fingerprint TEXT NOT NULL,
        begun BIGINT NOT NULL,
        seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_books PRIMARY KEY (fingerprint)
    )
    """,
    "COMMENT ON COLUMN monitor.books.begun IS 'the greatest is the newest'",
    "COMMENT ON COLUMN monitor.books.seen_at IS 'when a monitor with it was last alive'",
)

JUDGED: Final = (
    """
    ALTER TABLE monitor.{table} ADD COLUMN settled_offset BIGINT, ADD COLUMN unstaffed BOOLEAN,
        ADD COLUMN readings TEXT[] NOT NULL DEFAULT '{{}}',
        ADD COLUMN rules SMALLINT NOT NULL DEFAULT 1
    """,
    """
    ALTER TABLE monitor.{table} ALTER COLUMN readings DROP DEFAULT,
        ALTER COLUMN rules DROP DEFAULT
    """,
    "COMMENT ON COLUMN monitor.{table}.settled_offset IS 'the record that settled it'",
    """
    COMMENT ON COLUMN monitor.{table}.unstaffed IS
        'all agents of the shop were away at its begin; null: not known'
    """,
    """
    COMMENT ON COLUMN monitor.{table}.readings IS
        'all that see it alike; the first is its name'
    """,
    """
    COMMENT ON COLUMN monitor.{table}.rules IS
        '1: made before states were kept by reading, and older than the log'
    """,
)


def upgrade() -> None:
    """Change the tables; a column with a default rewrites none."""
    for statement in STATEMENTS:
        op.execute(statement)
    for table in ("rounds", "sessions"):
        for statement in JUDGED:
            op.execute(statement.format(table=table))
