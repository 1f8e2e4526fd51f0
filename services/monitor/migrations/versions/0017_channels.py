"""Alert channels and what goes over them, alerts that stand, mutes; audit and timers."""

from typing import Final

from alembic import op

revision: Final = "0017"
down_revision: Final = "0015"

STATEMENTS: Final = (
    """
    CREATE TABLE monitor.audit (
        id TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        shop_id TEXT NOT NULL,
        actor_id TEXT NOT NULL,
        actor_role TEXT NOT NULL,
        actor_shop_id TEXT NOT NULL,
        action TEXT NOT NULL,
        object_id TEXT NOT NULL,
        note TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_audit PRIMARY KEY (id)
    )
    """,
    """
    COMMENT ON COLUMN monitor.audit.shop_id IS 'the object''s shop, whose business it is'
    """,
    """
    CREATE INDEX ix_audit_shop_id_action_id ON monitor.audit (shop_id, action, id)
    """,
    """
    CREATE INDEX ix_audit_shop_id_actor_id_id ON monitor.audit (shop_id, actor_id, id)
    """,
    """
    CREATE INDEX ix_audit_shop_id_id ON monitor.audit (shop_id, id)
    """,
    """
    CREATE INDEX ix_audit_shop_id_object_id_id ON monitor.audit (shop_id, object_id, id)
    """,
    """
    CREATE TABLE monitor.timers (
        kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        fire_at TIMESTAMP WITH TIME ZONE NOT NULL,
        failures SMALLINT DEFAULT '0' NOT NULL,
        CONSTRAINT pk_timers PRIMARY KEY (kind, subject_id)
    )
     WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_insert_scale_factor = 0)
    """,
    """
    CREATE INDEX ix_timers_kind_fire_at_subject_id ON monitor.timers (kind, fire_at,
        subject_id)
    """,
    """
    CREATE TABLE monitor.channels (
        id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        sealed BYTEA NOT NULL,
        address TEXT NOT NULL,
        has_secret BOOLEAN NOT NULL,
        levels TEXT[] NOT NULL,
        language TEXT NOT NULL,
        mentions JSONB NOT NULL,
        names BOOLEAN NOT NULL,
        state TEXT NOT NULL,
        why TEXT,
        rests_until_ms BIGINT,
        version BIGINT NOT NULL,
        created_ms BIGINT NOT NULL,
        changed_ms BIGINT NOT NULL,
        CONSTRAINT pk_channels PRIMARY KEY (id)
    )
    """,
    """
    COMMENT ON COLUMN monitor.channels.sealed IS
        'address and secret, unreadable without the key'
    """,
    """
    COMMENT ON COLUMN monitor.channels.address IS 'as much of the address as is shown'
    """,
    """
    COMMENT ON COLUMN monitor.channels.names IS 'whether agents are named'
    """,
    """
    COMMENT ON COLUMN monitor.channels.why IS 'with which code the other side broke it'
    """,
    """
    COMMENT ON COLUMN monitor.channels.rests_until_ms IS 'the other side asked for silence'
    """,
    """
    CREATE INDEX ix_channels_shop_id_id ON monitor.channels (shop_id, id)
    """,
    """
    CREATE TABLE monitor.deliveries (
        id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        channel_id TEXT NOT NULL,
        alert_id TEXT,
        step TEXT NOT NULL,
        level TEXT NOT NULL,
        rank SMALLINT NOT NULL,
        rule TEXT NOT NULL,
        content JSONB NOT NULL,
        state TEXT NOT NULL,
        attempt SMALLINT NOT NULL,
        unknown BOOLEAN NOT NULL,
        code TEXT,
        merged_into TEXT,
        created_ms BIGINT NOT NULL,
        due_ms BIGINT,
        settled_ms BIGINT,
        CONSTRAINT pk_deliveries PRIMARY KEY (id)
    )
    """,
    """
    COMMENT ON TABLE monitor.deliveries IS
        'no foreign key: what went over a channel that is gone stays'
    """,
    """
    COMMENT ON COLUMN monitor.deliveries.alert_id IS 'null: a test or a digest'
    """,
    """
    COMMENT ON COLUMN monitor.deliveries.rank IS 'of the level: higher ones go first'
    """,
    """
    COMMENT ON COLUMN monitor.deliveries.content IS 'what it says: no buyer, no chat text'
    """,
    """
    COMMENT ON COLUMN monitor.deliveries.unknown IS
        'whether an attempt may have arrived unanswered'
    """,
    """
    COMMENT ON COLUMN monitor.deliveries.code IS 'what the other side said last'
    """,
    """
    COMMENT ON COLUMN monitor.deliveries.merged_into IS 'the digest that tells of it'
    """,
    """
    COMMENT ON COLUMN monitor.deliveries.due_ms IS
        'when it is to be tried or merged; null: nothing is to be done any more'
    """,
    """
    CREATE INDEX ix_deliveries_due ON monitor.deliveries (channel_id, due_ms) WHERE due_ms
        is not null
    """,
    """
    CREATE INDEX ix_deliveries_pending ON monitor.deliveries (shop_id) WHERE state =
        'pending'
    """,
    """
    CREATE INDEX ix_deliveries_sent ON monitor.deliveries (settled_ms) WHERE state = 'sent'
    """,
    """
    CREATE INDEX ix_deliveries_shop_id_channel_id_created_ms_id ON monitor.deliveries
        (shop_id, channel_id, created_ms, id)
    """,
    """
    CREATE INDEX ix_deliveries_shop_id_created_ms ON monitor.deliveries (shop_id,
        created_ms)
    """,
    """
    CREATE TABLE monitor.alerts (
        id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        rule TEXT NOT NULL,
        rule_version BIGINT NOT NULL,
        title JSONB NOT NULL,
        source TEXT NOT NULL,
        object_id TEXT NOT NULL,
        conversation_id TEXT,
        agent_id TEXT,
        level TEXT NOT NULL,
        state TEXT NOT NULL,
        count BIGINT NOT NULL,
        value BIGINT,
        stage SMALLINT NOT NULL,
        flapping BOOLEAN NOT NULL,
        opened_ms BIGINT NOT NULL,
        last_ms BIGINT NOT NULL,
        told_ms BIGINT NOT NULL,
        quiet_ms BIGINT NOT NULL,
        acknowledged_ms BIGINT,
        resolved_ms BIGINT,
        CONSTRAINT pk_alerts PRIMARY KEY (id)
    )
    """,
    """
    COMMENT ON COLUMN monitor.alerts.title IS 'the rule''s, by language'
    """,
    """
    COMMENT ON COLUMN monitor.alerts.source IS 'what the rule is over'
    """,
    """
    COMMENT ON COLUMN monitor.alerts.object_id IS
        'a conversation, an agent, a channel, the shop'
    """,
    """
    COMMENT ON COLUMN monitor.alerts.stage IS 'how often it escalated'
    """,
    """
    COMMENT ON COLUMN monitor.alerts.quiet_ms IS
        'when it is looked at, if nothing comes again'
    """,
    """
    CREATE INDEX ix_alerts_quiet ON monitor.alerts (quiet_ms) WHERE resolved_ms is null
    """,
    """
    CREATE INDEX ix_alerts_shop_id_opened_ms_id ON monitor.alerts (shop_id, opened_ms, id)
    """,
    """
    CREATE UNIQUE INDEX uq_alerts_standing ON monitor.alerts (shop_id, rule, rule_version,
        object_id) WHERE resolved_ms is null
    """,
    """
    CREATE TABLE monitor.mutes (
        id TEXT NOT NULL,
        shop_id TEXT NOT NULL,
        rule TEXT NOT NULL,
        object_id TEXT,
        until_ms BIGINT NOT NULL,
        reason TEXT NOT NULL,
        person_id TEXT NOT NULL,
        name TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        CONSTRAINT pk_mutes PRIMARY KEY (id)
    )
    """,
    """
    COMMENT ON COLUMN monitor.mutes.object_id IS 'null: whatever the rule is about'
    """,
    """
    CREATE INDEX ix_mutes_shop_id_until_ms ON monitor.mutes (shop_id, until_ms)
    """,
    """
    CREATE FUNCTION monitor.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON monitor.audit
        FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change()
    """,
)


def upgrade() -> None:
    """Make the tables; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
