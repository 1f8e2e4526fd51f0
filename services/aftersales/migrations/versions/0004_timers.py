"""Timers, the due time of a case beside its state, and how often a work item escalated.

The release before keeps deadlines in a table of their own and knows no timers. While both run,
triggers carry what it writes to where this release reads, and tell it what was warned of, so that
nobody is warned of twice. The next migration copies what stands there; table and triggers go with
the release after this one.
"""

from typing import Final

from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"

STATEMENTS: Final = (
    """
    CREATE TABLE aftersales.timers (
        kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        due_at timestamptz NOT NULL,
        fire_at timestamptz NOT NULL,
        failures SMALLINT DEFAULT '0' NOT NULL,
        CONSTRAINT pk_timers PRIMARY KEY (kind, subject_id)
    )
     WITH (
        autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_insert_scale_factor = 0
    )
    """,
    """
    CREATE INDEX ix_timers_kind_fire_at_subject_id ON aftersales.timers (kind, fire_at, subject_id)
    """,
    """
    ALTER TABLE aftersales.cases ADD COLUMN due_at timestamptz
    """,
    """
    ALTER TABLE aftersales.work_items ADD COLUMN level BIGINT DEFAULT '0' NOT NULL
    """,
    """
    COMMENT ON COLUMN aftersales.work_items.level IS 'how often it escalated'
    """,
    """
    CREATE FUNCTION aftersales.take_deadline() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            UPDATE aftersales.cases SET due_at = NEW.due_at WHERE id = NEW.case_id;
            INSERT INTO aftersales.timers (kind, subject_id, shop_id, due_at, fire_at)
                SELECT 'case_warning', id, shop_id, NEW.warn_at, NEW.warn_at
                FROM aftersales.cases WHERE id = NEW.case_id
                ON CONFLICT (kind, subject_id) DO UPDATE
                SET due_at = excluded.due_at, fire_at = excluded.fire_at, failures = 0;
        ELSE
            DELETE FROM aftersales.timers WHERE kind = 'case_warning' AND subject_id = OLD.case_id;
            IF TG_OP = 'DELETE' THEN
                UPDATE aftersales.cases SET due_at = NULL WHERE id = OLD.case_id;
            END IF;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION aftersales.tell_warned() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE aftersales.deadlines SET warned_at = clock_timestamp()
            WHERE case_id = OLD.subject_id AND warned_at IS NULL;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION aftersales.take_work() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO aftersales.timers (kind, subject_id, shop_id, due_at, fire_at)
            VALUES ('work_overdue', NEW.id, NEW.shop_id, NEW.due_at, NEW.due_at)
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER of_the_release_before AFTER INSERT OR DELETE OR UPDATE OF warned_at
        ON aftersales.deadlines FOR EACH ROW EXECUTE FUNCTION aftersales.take_deadline()
    """,
    """
    CREATE TRIGGER for_the_release_before AFTER DELETE ON aftersales.timers
        FOR EACH ROW WHEN (OLD.kind = 'case_warning')
        EXECUTE FUNCTION aftersales.tell_warned()
    """,
    """
    CREATE TRIGGER of_the_release_before AFTER INSERT ON aftersales.work_items
        FOR EACH ROW EXECUTE FUNCTION aftersales.take_work()
    """,
)


def upgrade() -> None:
    """Make them; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
