"""Shops, skill groups, staff, buyers, refresh tokens and the audit; outbox, inbox, keys."""

from typing import Final

from alembic import op

revision: Final = "0001"
down_revision: Final = None

STATEMENTS: Final = (
    """
    CREATE TABLE conversation.outbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        shard SMALLINT NOT NULL,
        event_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        key TEXT NOT NULL,
        type TEXT NOT NULL,
        headers JSONB NOT NULL,
        body BYTEA NOT NULL,
        created_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_outbox PRIMARY KEY (id)
    )
     WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
         autovacuum_vacuum_insert_scale_factor = 0)
    """,
    """
    COMMENT ON COLUMN conversation.outbox.headers IS '[[name, text], ...] in order'
    """,
    """
    CREATE INDEX ix_outbox_shard_id ON conversation.outbox (shard, id)
    """,
    """
    CREATE TABLE conversation.inbox (
        consumer TEXT NOT NULL,
        event_id TEXT NOT NULL,
        seen_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
    )
    """,
    """
    CREATE INDEX ix_inbox_seen_at ON conversation.inbox (seen_at)
    """,
    """
    CREATE TABLE conversation.idempotency (
        subject TEXT NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        body_hash BYTEA NOT NULL,
        status SMALLINT NOT NULL,
        headers JSONB NOT NULL,
        body BYTEA NOT NULL,
        created_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_idempotency PRIMARY KEY (subject, route, key)
    )
    """,
    """
    CREATE INDEX ix_idempotency_created_at ON conversation.idempotency (created_at)
    """,
    """
    CREATE TABLE conversation.shops (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        active BOOLEAN DEFAULT true NOT NULL,
        secret_version INTEGER DEFAULT 1 NOT NULL,
        policy JSONB DEFAULT '{}' NOT NULL,
        version INTEGER DEFAULT 1 NOT NULL,
        created_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_shops PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE conversation.skill_groups (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        code TEXT NOT NULL,
        name TEXT NOT NULL,
        CONSTRAINT pk_skill_groups PRIMARY KEY (id),
        CONSTRAINT fk_skill_groups_shop_id FOREIGN KEY(shop_id) REFERENCES conversation.shops (id)
    )
    """,
    """
    CREATE UNIQUE INDEX ix_skill_groups_shop_id_code ON conversation.skill_groups (shop_id, code)
    """,
    """
    CREATE TABLE conversation.staff (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        login TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        active BOOLEAN DEFAULT true NOT NULL,
        capacity SMALLINT NOT NULL,
        not_before timestamptz NOT NULL,
        version INTEGER DEFAULT 1 NOT NULL,
        state TEXT DEFAULT 'offline' NOT NULL,
        state_since timestamptz,
        state_version INTEGER DEFAULT 0 NOT NULL,
        resume_state TEXT,
        last_assigned_at timestamptz,
        created_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_staff PRIMARY KEY (id),
        CONSTRAINT ck_staff_role CHECK (role in ('buyer', 'agent', 'senior', 'aftersales',
            'complaint', 'clerk', 'supervisor', 'admin')),
        CONSTRAINT ck_staff_state CHECK (state in ('online', 'busy', 'suspended', 'break',
            'offline')),
        CONSTRAINT ck_staff_capacity CHECK (capacity between 0 and 200),
        CONSTRAINT fk_staff_shop_id FOREIGN KEY(shop_id) REFERENCES conversation.shops (id),
        CONSTRAINT uq_staff_login UNIQUE (login)
    )
    """,
    """
    CREATE INDEX ix_staff_at_work ON conversation.staff (id) WHERE state <> 'offline'
    """,
    """
    CREATE INDEX ix_staff_shop_id ON conversation.staff (shop_id)
    """,
    """
    CREATE TABLE conversation.staff_skills (
        staff_id UUID NOT NULL,
        skill_group_id UUID NOT NULL,
        CONSTRAINT pk_staff_skills PRIMARY KEY (staff_id, skill_group_id),
        CONSTRAINT fk_staff_skills_staff_id FOREIGN KEY(staff_id) REFERENCES conversation.staff
            (id) ON DELETE cascade,
        CONSTRAINT fk_staff_skills_skill_group_id FOREIGN KEY(skill_group_id) REFERENCES
            conversation.skill_groups (id) ON DELETE cascade
    )
    """,
    """
    CREATE TABLE conversation.buyers (
        id UUID NOT NULL,
        shop_id TEXT NOT NULL,
        external_id TEXT,
        name TEXT NOT NULL,
        phone TEXT DEFAULT '' NOT NULL,
        address TEXT DEFAULT '' NOT NULL,
        tier SMALLINT DEFAULT 0 NOT NULL,
        not_before timestamptz NOT NULL,
        version INTEGER DEFAULT 0 NOT NULL,
        created_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_buyers PRIMARY KEY (id),
        CONSTRAINT ck_buyers_tier CHECK (tier between 0 and 9),
        CONSTRAINT fk_buyers_shop_id FOREIGN KEY(shop_id) REFERENCES conversation.shops (id)
    )
    """,
    """
    CREATE UNIQUE INDEX ix_buyers_shop_id_external_id ON conversation.buyers (shop_id,
        external_id)
    """,
    """
    CREATE TABLE conversation.refresh_tokens (
        hash BYTEA NOT NULL,
        family UUID NOT NULL,
        subject UUID NOT NULL,
        kind TEXT NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (hash),
        CONSTRAINT ck_refresh_tokens_kind CHECK (kind in ('staff', 'buyer'))
    )
    """,
    """
    CREATE INDEX ix_refresh_tokens_expires_at ON conversation.refresh_tokens (expires_at)
    """,
    """
    CREATE INDEX ix_refresh_tokens_family ON conversation.refresh_tokens (family)
    """,
    """
    CREATE INDEX ix_refresh_tokens_subject ON conversation.refresh_tokens (subject)
    """,
    """
    CREATE TABLE conversation.audit (
        id UUID NOT NULL,
        at timestamptz NOT NULL,
        shop_id TEXT NOT NULL,
        actor_id TEXT NOT NULL,
        role TEXT NOT NULL,
        action TEXT NOT NULL,
        object_id TEXT NOT NULL,
        CONSTRAINT pk_audit PRIMARY KEY (id)
    )
    """,
    """
    CREATE INDEX ix_audit_shop_id_at ON conversation.audit (shop_id, at)
    """,
    """
    CREATE FUNCTION conversation.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON conversation.audit
        FOR EACH STATEMENT EXECUTE FUNCTION conversation.refuse_change()
    """,
)


def upgrade() -> None:
    """Make the tables; a test compares them with the models."""
    for statement in STATEMENTS:
        op.execute(statement)
