"""Verdicts and who took care of what; answers to keyed commands; by which id a firing was told."""

from typing import Final

from alembic import op

revision: Final = "0012"
down_revision: Final = "0010"

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.judgements (
        subject_id TEXT NOT NULL,
        person_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        name TEXT NOT NULL,
        verdict TEXT NOT NULL,
        note TEXT NOT NULL,
        judged_ms BIGINT NOT NULL,
        CONSTRAINT pk_judgements PRIMARY KEY (subject_id, person_id)
    )
    """,
    "CREATE INDEX ix_judgements_shop_id_judged_ms ON monitor.judgements (shop_id, judged_ms)",
    """
    CREATE TABLE monitor.alert_states (
        alert_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        person_id TEXT NOT NULL,
        name TEXT NOT NULL,
        verdict TEXT NOT NULL,
        note TEXT NOT NULL,
        acknowledged_ms BIGINT NOT NULL,
        CONSTRAINT pk_alert_states PRIMARY KEY (alert_id)
    )
    """,
    """
    CREATE INDEX ix_alert_states_shop_id_acknowledged_ms
        ON monitor.alert_states (shop_id, acknowledged_ms)
    """,
    """
    CREATE TABLE monitor.idempotency (
        subject TEXT NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        body_hash BYTEA NOT NULL,
        status SMALLINT NOT NULL,
        headers JSONB NOT NULL,
        body BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_idempotency PRIMARY KEY (subject, route, key)
    )
    """,
    "CREATE INDEX ix_idempotency_created_at ON monitor.idempotency (created_at)",
    """
    CREATE TABLE monitor.inbox (
        consumer TEXT NOT NULL,
        event_id TEXT NOT NULL,
        seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
    )
    """,
    "CREATE INDEX ix_inbox_seen_at ON monitor.inbox (seen_at)",
    "ALTER TABLE monitor.firings ADD COLUMN alert_id TEXT",
    "COMMENT ON COLUMN monitor.firings.alert_id IS 'null: told by an older release'",
)


def upgrade() -> None:
    """Make the tables and the column; a firing of before has no id, and is not listed."""
    for statement in STATEMENTS:
        op.execute(statement)
