"""Flags of reception, and by which rules conversations are looked at."""

from typing import Final

from alembic import op

revision: Final = "0018"
down_revision: Final = "0017"

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.reception (
        flag_id TEXT NOT NULL,
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        "offset" BIGINT NOT NULL,
        rule TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL,
        agent_id TEXT NOT NULL,
        session BIGINT NOT NULL,
        born_offset BIGINT NOT NULL,
        at_ms BIGINT NOT NULL,
        due_ms BIGINT NOT NULL,
        excused BOOLEAN NOT NULL,
        severity SMALLINT NOT NULL,
        times BIGINT NOT NULL,
        seconds BIGINT NOT NULL,
        offsets BIGINT[] NOT NULL,
        told_severity SMALLINT DEFAULT 0 NOT NULL,
        CONSTRAINT pk_reception PRIMARY KEY (flag_id)
    )
    """,
    "COMMENT ON COLUMN monitor.reception.session IS 'the offset where it began'",
    "COMMENT ON COLUMN monitor.reception.born_offset IS 'the conversation''s first record'",
    "COMMENT ON COLUMN monitor.reception.due_ms IS 'what is said until then may take it back'",
    "COMMENT ON COLUMN monitor.reception.excused IS 'the shop was unstaffed: nobody is charged'",
    "COMMENT ON COLUMN monitor.reception.times IS '0: it was taken back'",
    "COMMENT ON COLUMN monitor.reception.seconds IS 'that buyers waited, all together'",
    """
    CREATE INDEX ix_reception_shop_id_at_ms_flag_id
        ON monitor.reception (shop_id, at_ms, flag_id)
    """,
    """
    CREATE INDEX ix_reception_shop_id_agent_id_at_ms_flag_id
        ON monitor.reception (shop_id, agent_id, at_ms, flag_id)
    """,
    """
    CREATE INDEX ix_reception_to_tell ON monitor.reception (due_ms)
        WHERE told_severity < severity and times > 0 and not excused
    """,
    """
    CREATE TABLE monitor.reception_spans (
        generation SMALLINT NOT NULL,
        partition INTEGER NOT NULL,
        shop_id TEXT NOT NULL,
        first_offset BIGINT NOT NULL,
        rules TEXT NOT NULL,
        begun_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_reception_spans
            PRIMARY KEY (generation, partition, shop_id, first_offset)
    )
    """,
)


def upgrade() -> None:
    """Make both, empty: what was said before is not looked at."""
    for statement in STATEMENTS:
        op.execute(statement)
