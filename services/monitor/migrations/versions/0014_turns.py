"""Turns: who said how much to whom, and until when; and of which parts of the log they are told.

Nothing is filled in here: turns begin with the first record that is folded by who tells them.
"""

from typing import Final

from alembic import op

revision: Final = "0014"
down_revision: Final = "0013"

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.turns (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        first_offset BIGINT NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        buyer_id TEXT NOT NULL,
        agent_id TEXT,
        owned BOOLEAN NOT NULL,
        day DATE NOT NULL,
        from_ms BIGINT NOT NULL,
        last_ms BIGINT NOT NULL,
        until_ms BIGINT NOT NULL,
        buyer_words INTEGER NOT NULL,
        agent_words INTEGER NOT NULL,
        agent_ms BIGINT[] NOT NULL,
        agent_offsets BIGINT[] NOT NULL,
        born_offset BIGINT NOT NULL,
        CONSTRAINT pk_turns PRIMARY KEY (generation, partition, first_offset)
    )
    """,
    "COMMENT ON COLUMN monitor.turns.agent_id IS 'null: nobody had the buyer'",
    "COMMENT ON COLUMN monitor.turns.owned IS 'false: staff without the seat'",
    """
    COMMENT ON COLUMN monitor.turns."day" IS 'local day on which it began, and ended'
    """,
    "COMMENT ON COLUMN monitor.turns.last_ms IS 'its last word'",
    "CREATE INDEX ix_turns_shop_id_from_ms ON monitor.turns (shop_id, from_ms)",
    """
    CREATE TABLE monitor.turn_spans (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        first_offset BIGINT NOT NULL,
        since_ms BIGINT NOT NULL,
        told_to BIGINT NOT NULL,
        CONSTRAINT pk_turn_spans PRIMARY KEY (generation, partition, first_offset)
    )
    """,
    "COMMENT ON COLUMN monitor.turn_spans.since_ms IS 'the time of its first record'",
    """
    COMMENT ON COLUMN monitor.turn_spans.told_to IS
        'another one than the fold''s: who tells no turns folded meanwhile'
    """,
)


def upgrade() -> None:
    """Make both, empty."""
    for statement in STATEMENTS:
        op.execute(statement)
